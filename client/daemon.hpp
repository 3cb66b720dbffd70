#pragma once

#include <functional>
#include <optional>
#include <variant>

#include "client/console.hpp"
#include "client/progress_bar.hpp"
#include "protocol/schema/local_codec.hpp"

namespace kith::client {

using OnProgress = std::function<void(const local::Progress&)>;

/// This member's daemon, as a command sees it.
class Daemon {
 public:
  virtual ~Daemon() = default;

  /// Sends `request` and waits for the answer that is not Progress; a Refusal is such an answer. An
  /// Error means that the daemon cannot be reached or cannot be understood.
  [[nodiscard]] virtual Result<local::Answer> ask(const local::Request& request,
                                                  const OnProgress& on_progress) = 0;
  /// The next answer to the same request: only after a WatchRequest.
  [[nodiscard]] virtual Result<local::Answer> next() = 0;
};

/// An answer of the kind that was asked for, or the exit code of the complaint already made.
template <class Wanted>
struct Answered {
  std::optional<Wanted> answer;
  Exit exit = Exit::ok;

  explicit operator bool() const { return answer.has_value(); }
  const Wanted& operator*() const { return *answer; }
  const Wanted* operator->() const { return &*answer; }
};

/// Takes the wanted kind out of what the daemon said, or complains.
template <class Wanted>
[[nodiscard]] Answered<Wanted> take(const Console& console, Result<local::Answer> said) {
  if (!said && said.error().code == Errc::unavailable) {
    return {std::nullopt, complain(console, said.error(), Exit::unreachable)};
  }
  if (!said) return {std::nullopt, complain(console, said.error())};
  if (auto* wanted = std::get_if<Wanted>(&*said)) return {std::move(*wanted), Exit::ok};
  if (const auto* refusal = std::get_if<local::Refusal>(&*said)) {
    return {std::nullopt, complain(console, fail(refusal->code, refusal->said))};
  }
  const Error other = fail(Errc::malformed,
                           "kithd answered something else than was asked; are kith and kithd of "
                           "one version? kith status shows kithd's");
  return {std::nullopt, complain(console, other)};
}

/// Asks with a progress bar for whatever takes long. `at_first` stands there before the daemon has
/// said how far it is.
template <class Wanted>
[[nodiscard]] Answered<Wanted> ask(Daemon& daemon, const Console& console,
                                   const local::Request& request,
                                   const std::optional<local::Progress>& at_first = {}) {
  ProgressBar bar(console, std::chrono::steady_clock::now);
  const auto show = [&](const local::Progress& progress) {
    bar.show(progress.done, progress.total, progress.doing);
  };
  if (at_first) show(*at_first);
  auto said = daemon.ask(request, show);
  bar.clear();
  return take<Wanted>(console, std::move(said));
}

}  // namespace kith::client
