#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

/// What every bench needs: a clock, an end to a run that went wrong, and JSON lines.
namespace kith::bench {

using Clock = std::chrono::steady_clock;

[[nodiscard]] inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Ends the run where going on would print a figure that means nothing.
inline void must(bool held, const std::string& what) {
  if (held) return;
  std::fprintf(stderr, "bench: %s\n", what.c_str());
  std::exit(1);
}

/// The value below which `part` (0 to 1) of the samples lie. Needs at least one sample.
[[nodiscard]] inline double quantile(std::vector<double> samples, double part) {
  std::sort(samples.begin(), samples.end());
  const auto last = static_cast<double>(samples.size() - 1);
  return samples[static_cast<std::size_t>(last * part)];
}

/// One figure: a JSON object on a line of its own, its fields in the order they were added.
class Figure {
 public:
  explicit Figure(const std::string& name) : line_("{\"figure\":\"" + name + "\"") {}

  Figure& number(const std::string& name, double value, int decimals = 3) {
    char text[64];
    std::snprintf(text, sizeof(text), "%.*f", decimals, value);
    line_ += ",\"" + name + "\":" + text;
    return *this;
  }
  Figure& at_least(double ratio, double goal) {
    return number("ratio", ratio).number("goal_at_least", goal, 2).met(ratio >= goal);
  }
  Figure& at_most(double value, double goal, int decimals = 3) {
    return number("value", value, decimals).number("goal_at_most", goal, 2).met(value <= goal);
  }
  void print() const {
    std::printf("%s}\n", line_.c_str());
    std::fflush(stdout);
  }

 private:
  Figure& met(bool yes) {
    missed |= !yes;
    line_ += yes ? ",\"met\":true" : ",\"met\":false";
    return *this;
  }

  inline static bool missed = false;
  std::string line_;

  friend int exit_code();
};

/// What a bench ends with: 0 when every goal that it printed was met, else 3.
[[nodiscard]] inline int exit_code() { return Figure::missed ? 3 : 0; }

}  // namespace kith::bench
