#include "protocol/base/check.hpp"
#include "protocol/base/text.hpp"
#include "protocol/crypto/sha256.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/keys/word_list.hpp"

namespace kith {
namespace {

constexpr std::size_t fingerprint_word_count = 8;  // 88 bits.
constexpr std::size_t words_bytes_max = 24 * 16;   // The longest word has eight letters.

/// `count` words from the first bits of `bytes`.
std::vector<std::string> to_words(BytesView bytes, std::size_t count) {
  KITH_CHECK(bytes.size() * 8 >= count * word_list_bits);
  std::vector<std::string> words;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t number = 0;
    for (std::size_t bit = i * word_list_bits; bit < (i + 1) * word_list_bits; ++bit) {
      number = number << 1 | ((bytes[bit / 8] >> (7 - bit % 8)) & 1U);
    }
    words.emplace_back(word_list()[number]);
  }
  return words;
}

/// Words as people type them: any white space between them, any case.
std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space && !inside) words.emplace_back();
    if (!space) words.back().push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    inside = !space;
  }
  return words;
}

}  // namespace

const std::array<std::string_view, word_list_size>& word_list() {
  static const auto words = [] {
    std::array<std::string_view, word_list_size> list;
    std::string_view rest = word_list_text;
    for (std::string_view& word : list) {
      word = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(word.size() + 1);
    }
    KITH_CHECK(rest.empty());
    return list;
  }();
  return words;
}

std::optional<unsigned> word_number(std::string_view word) {
  const auto& list = word_list();
  const auto at = std::ranges::lower_bound(list, word);
  if (at == list.end() || *at != word) return std::nullopt;
  return static_cast<unsigned>(at - list.begin());
}

std::vector<std::string> recovery_words(const Seed& seed) {
  Bytes bits = to_bytes(seed.view());
  bits.push_back(sha256(seed.view()).bytes[0]);
  auto words = to_words(bits, recovery_word_count);
  wipe(bits);
  return words;
}

std::size_t count_words(std::string_view text) { return split_words(text).size(); }

Result<Seed> seed_from_words(std::string_view text) {
  if (text.size() > words_bytes_max) {
    return fail(Errc::malformed, "this is longer than 24 recovery words");
  }
  auto words = split_words(text);
  if (words.size() != recovery_word_count) {
    return fail(Errc::malformed,
                "there are 24 recovery words, not " + std::to_string(words.size()));
  }

  Bytes bits(Seed::size + 1, 0);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto number = word_number(words[i]);
    if (!number) {
      return fail(Errc::malformed, "word " + std::to_string(i + 1) + " (\"" +
                                       one_line(words[i], 32) + "\") is not in the list");
    }
    for (unsigned b = 0; b < word_list_bits; ++b) {
      const std::size_t bit = i * word_list_bits + b;
      const unsigned value = *number >> (word_list_bits - 1 - b) & 1U;
      bits[bit / 8] = static_cast<std::uint8_t>(bits[bit / 8] | value << (7 - bit % 8));
    }
  }
  for (std::string& word : words) wipe(word);
  const Seed seed = Seed::from(BytesView(bits).first(Seed::size));
  const bool good = bits.back() == sha256(seed.view()).bytes[0];
  wipe(bits);
  if (!good) {
    return fail(Errc::malformed, "the checksum fails: a word is wrong or two are swapped");
  }
  return seed;
}

std::vector<std::string> fingerprint_words(const MemberId& member) {
  return to_words(member.view(), fingerprint_word_count);
}

}  // namespace kith
