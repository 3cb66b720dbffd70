#!/usr/bin/env bash
# All that is checked before a change is merged; --full adds what takes longer and prints figures.
# usage: tests/check.sh [--full]
set -euo pipefail
cd "$(dirname "$0")/.."
full=0
[ "${1:-}" = --full ] && full=1
jobs=${KITH_JOBS:-2}
export KITH_JOBS=$jobs
# Objects of one clone serve the next.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

step() { # name, its share in seconds, command…
  local name=$1 share=$2 from=$SECONDS
  shift 2
  printf '== %s\n' "$name"
  "$@"
  local took=$((SECONDS - from))
  printf '== %s: %d s\n' "$name" "$took"
  [ $took -le "$share" ] || printf 'warning: %s took %d s, its share is %d s\n' "$name" $took "$share"
}

formatted() {
  git ls-files '*.cpp' '*.hpp' | xargs clang-format-19 --dry-run --Werror
}

build() { # preset, further arguments of the build
  cmake --preset "$1" >"build-$1.log" 2>&1 || { cat "build-$1.log"; rm -f "build-$1.log"; return 1; }
  rm -f "build-$1.log"
  cmake --build --preset "$1" -j "$jobs" "${@:2}"
}

# What was skipped, for the last line.
not_shown=()
run_tests() { # preset, further arguments of ctest
  local preset=$1 skipped
  shift
  ctest --test-dir "build/$preset" -j "$jobs" --output-on-failure --no-tests=error "$@" |
    tee "build/tests-$preset.log" || return
  while read -r skipped; do
    not_shown+=("$skipped ($preset)")
  done < <(sed -nE 's/^\s*[0-9]+ - (.*) \(Skipped\)$/\1/p' "build/tests-$preset.log")
}

# Some things a machine may not allow; then the script says so loudly and ends with 77.
or_skipped() {
  local status=0
  "$@" || status=$?
  [ $status -ne 77 ] || not_shown+=("$*")
  [ $status -eq 0 ] || [ $status -eq 77 ]
}

# All that decides, stores and reads what comes from outside, and every kept input of the fuzz targets.
build_sanitized() {
  build asan --target protocol_test storage_test daemon_test fuzz_targets
}
in_shards() { # test program: its tests, dealt out to as many cores as there are
  local shard running=()
  for shard in $(seq 0 $((jobs - 1))); do
    GTEST_TOTAL_SHARDS=$jobs GTEST_SHARD_INDEX=$shard "$1" --gtest_brief=1 &
    running+=($!)
  done
  for shard in "${running[@]}"; do wait "$shard"; done
}
run_sanitized() {
  local kept
  in_shards build/asan/bin/protocol_test
  in_shards build/asan/bin/storage_test
  build/asan/bin/daemon_test --gtest_brief=1
  for kept in tests/fuzz/corpus/*; do "build/asan/bin/${kept##*/}" "$kept" 2>&1 | tail -n 1; done
}

tidy() {
  run-clang-tidy-19 -quiet -p build/fuzz -j "$jobs" "$PWD/(protocol|storage|daemon|client)/.*\.cpp"
}

coverage() {
  build coverage --target protocol_test storage_test
  find build/coverage -name '*.gcda' -delete
  build/coverage/bin/protocol_test --gtest_brief=1
  build/coverage/bin/storage_test --gtest_brief=1
  gcovr --root . --object-directory build/coverage --filter protocol/ --filter storage/ \
    --exclude-throw-branches --exclude-unreachable-branches --gcov-ignore-parse-errors \
    --json-summary build/coverage/summary.json --json-summary-pretty >/dev/null
  python3 -c 'import json
s = json.load(open("build/coverage/summary.json"))
print(json.dumps({"figure": "coverage", "branches_percent": s["branch_percent"],
                  "lines_percent": s["line_percent"], "limit_percent": 90}))
raise SystemExit(s["branch_percent"] < 90)'
}

# What the short run does every seventh time, at every step.
everything() {
  KITH_FULL=1 run_tests release -R '^(Crash|HighWater|LogCheck|Lmdb|LogDisk|ArchiveAudit|ProofAudit|EvidenceTest)|end_to_end_hostile'
}

# All run; one that misses its goal fails the step.
benches() {
  local bench missed=0
  for bench in build/release/bin/bench_*; do "$bench" || missed=1; done
  return $missed
}

mkdir -p build
step "format" 30 formatted
step "release build" 360 build release
export KITH_SEEDS=${KITH_SEEDS:-1000}
step "tests and 1,000 simulated worlds" 700 run_tests release
step "demo" 180 scripts/demo --check --build build/release/bin
step "sanitizer build" 600 build_sanitized
step "protocol, storage, daemon and kept fuzz inputs under ASan and UBSan" 180 run_sanitized
if [ $full = 1 ]; then
  step "every crash point, damaged byte and stranger" 1800 everything
  asan_seeds=100
  step "sanitizer build of all" 1800 build asan
  KITH_SEEDS=$asan_seeds step "tests under ASan and UBSan" 1800 run_tests asan
  step "thread sanitizer build" 1800 build tsan --target daemon_test kithd kith hostile_peer
  step "daemon and real daemons under TSan" 1800 run_tests tsan -E '_NOT_BUILT$|^fuzz_'
  step "fuzz build" 1800 build fuzz
  step "fuzzing" 3000 tests/fuzz/run.sh
  step "clang-tidy" 3000 tidy
  step "coverage" 1800 coverage
  step "benches" 1500 benches
  step "a bare Debian" 7200 or_skipped tests/package/bare_root.sh
  step "100,000 simulated worlds" 14400 tests/simulation/seeds.sh 100000
fi
if [ ${#not_shown[@]} -eq 0 ]; then
  echo "check: nothing was skipped"
else
  printf 'check: NOT SHOWN here, as it was skipped: %s\n' "$(printf '%s\n' "${not_shown[@]}" | sort -u | paste -sd , | sed 's/,/, /g')"
fi
