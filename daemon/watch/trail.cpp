#include "daemon/watch/trail.hpp"

#include "daemon/clock.hpp"
#include "protocol/base/text.hpp"
#include "storage/files/file.hpp"

namespace kith::daemon {
namespace {

constexpr unsigned trail_mode = 0600;

void add(std::string& line, const std::string& name, const std::string& value) {
  line += (line.size() > 1 ? ",\"" : "\"") + name + "\":\"";
  for (const char c : one_line(value, trail_line_bytes_max)) {
    if (c == '"' || c == '\\') line.push_back('\\');
    line.push_back(c);
  }
  line.push_back('"');
}

}  // namespace

Result<bool> note_in_trail(const std::filesystem::path& file, Millis time, const std::string& act,
                           const TrailFields& fields) {
  std::size_t bytes = act.size();
  for (const auto& [name, value] : fields) bytes += name.size() + value.size();
  const Error too_large = fail(Errc::too_large, "a line of the trail would be too long");
  if (bytes > trail_line_bytes_max) return too_large;
  std::string line = "{";
  add(line, "time", utc_text(time));
  add(line, "act", act);
  for (const auto& [name, value] : fields) add(line, name, value);
  line.push_back('}');
  if (line.size() > trail_line_bytes_max) return too_large;
  return files::append_line(file, line, trail_mode);
}

}  // namespace kith::daemon
