// A document whose shortened ids are written out before it is signed, and a daemon that says what
// the input wants: nothing but the value of a reference may change. One byte chooses the daemon's
// manner, 32 are the id that it knows.
#include <sstream>

#include "client/commands/references.hpp"
#include "client/layout.hpp"
#include "protocol/base/check.hpp"
#include "protocol/base/text.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"
#include "tests/fuzz/input.hpp"

using namespace kith;
using namespace kith::client;

namespace {

class ScriptedDaemon : public Daemon {
 public:
  ScriptedDaemon(std::uint8_t manner, const RecordId& id) : manner_(manner), id_(id) {}

  Result<local::Answer> ask(const local::Request&, const OnProgress& on_progress) override {
    ++asked;
    on_progress({1, 2, "looking"});
    if (manner_ % 8 == 1) return fail(Errc::unavailable, "nobody listens");
    if (manner_ % 8 == 2) return local::Answer(local::Refusal{Errc::not_found, "no such entry"});
    if (manner_ % 8 == 3) return local::Answer(local::ListAnswer{});
    local::ShowAnswer shown;
    shown.record.id = id_;
    return local::Answer(shown);
  }
  Result<local::Answer> next() override { return fail(Errc::unavailable, "nothing follows"); }

  std::size_t asked = 0;

 private:
  std::uint8_t manner_;
  RecordId id_;
};

/// The fields as they should be once their short references are written out.
std::vector<Field> with_full_references(const Document& document, const std::string& id,
                                        std::size_t& short_ones) {
  std::vector<Field> fields = document.fields;
  const KindSpec* kind = find_kind(document.kind);
  for (Field& field : fields) {
    const FieldSpec* spec = kind->find(field.name);
    if (spec == nullptr || spec->type != FieldType::reference) continue;
    if (field.values.empty() || field.values.front().size() >= id.size()) continue;
    field.values.front() = id;
    ++short_ones;
  }
  return fields;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input({data, size});
  const std::uint8_t manner = input.byte();
  RecordId id;
  for (auto& byte : id.bytes) byte = input.byte();
  const std::string document(text(input.rest()));
  const Parsed before = parse_document(document);
  if (!before.complaints.empty()) return 0;  // Nobody gets as far with it.

  std::ostringstream said;
  std::istringstream nothing;
  const Console console{.out = said, .err = said, .in = nothing};
  ScriptedDaemon daemon(manner, id);
  const auto completed = complete_references(document, daemon, console);
  if (!completed) {
    KITH_CHECK(completed.exit != Exit::ok && !said.str().empty());
    return 0;
  }
  std::size_t short_ones = 0;
  const auto wanted = with_full_references(before.document, full_id(id.view()), short_ones);
  KITH_CHECK(daemon.asked == short_ones);
  if (short_ones == 0) KITH_CHECK(*completed == document);
  const Parsed after = parse_document(*completed);
  KITH_CHECK(after.complaints.empty());
  KITH_CHECK(after.document.kind == before.document.kind);
  KITH_CHECK(after.document.title == before.document.title);
  KITH_CHECK(after.document.text == before.document.text);
  KITH_CHECK(after.document.fields == wanted);
  return 0;
}
