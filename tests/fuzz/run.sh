#!/usr/bin/env bash
# Runs fuzz targets from the kept corpus, each for a while, and prints one JSON line for each. What
# was run since the target was built is not run again. Fails if there is a finding; its input lies in
# BUILD/findings.
# usage: tests/fuzz/run.sh [--seconds N] [--jobs N] [--build build/fuzz] [--again] [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=60 jobs=${KITH_JOBS:-2} build=build/fuzz again=0
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    --build) build=$2; shift 2 ;;
    --again) again=1; shift ;;
    *) break ;;
  esac
done

fuzz_one() { # target
  local target=$1 binary=$build/bin/$1 result=$build/results/$1.json log=$build/results/$1.log
  if [ "$again" = 0 ] && [ "$result" -nt "$binary" ]; then cat "$result"; return; fi
  mkdir -p "$build/results" "$build/findings" "$build/found/$target"
  # New inputs go to the first folder, so the kept corpus changes only by hand.
  "$binary" -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=1024 -timeout=10 \
    -print_final_stats=1 -artifact_prefix="$build/findings/$target-" \
    "$build/found/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1 || true
  local last executions rate coverage findings
  last=$(grep -a 'cov: ' "$log" | tail -1)
  coverage=$(sed -nE 's/.*cov: ([0-9]+).*/\1/p' <<<"$last")
  executions=$(sed -nE 's/^stat::number_of_executed_units: *([0-9]+)/\1/p' "$log")
  rate=$(sed -nE 's/^stat::average_exec_per_sec: *([0-9]+)/\1/p' "$log")
  findings=$(find "$build/findings" -name "$target-*" | wc -l)
  # A target that ended without figures did not run to its end.
  [ -n "$executions" ] || findings=$((findings > 0 ? findings : 1))
  printf '{"figure":"fuzz","target":"%s","seconds":%d,"executions":%d,"per_second":%d,"coverage":%d,"findings":%d}\n' \
    "$target" "$seconds" "${executions:-0}" "${rate:-0}" "${coverage:-0}" "$findings" | tee "$result"
  if [ "$findings" != 0 ]; then
    tail -40 "$log" >&2
    mv "$result" "$result.failed"
    return 1
  fi
}
export -f fuzz_one
export seconds build again

if [ $# -eq 0 ]; then
  # Every target of the sources must be there: one that was not built is not fuzzed.
  for source in tests/fuzz/fuzz_*.cpp; do
    name=${source##*/}
    set -- "$@" "${name%.cpp}"
  done
fi
printf '%s\n' "$@" | xargs -P "$jobs" -I{} bash -c 'set -euo pipefail; fuzz_one {}'
