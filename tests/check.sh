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

build() { # preset
  cmake --preset "$1" >"build-$1.log" 2>&1 || { cat "build-$1.log"; rm -f "build-$1.log"; return 1; }
  rm -f "build-$1.log"
  cmake --build --preset "$1" -j "$jobs"
}

run_tests() { # preset, further arguments of ctest
  local preset=$1
  shift
  ctest --test-dir "build/$preset" -j "$jobs" --output-on-failure --no-tests=error "$@"
}

# Some things a machine may not allow; then the script says so loudly and ends with 77.
or_skipped() { "$@" || [ $? -eq 77 ]; }

mkdir -p build
step "format" 30 formatted
step "release build" 600 build release
export KITH_SEEDS=${KITH_SEEDS:-1000}
step "tests and 1,000 simulated worlds" 700 run_tests release
step "demo" 180 scripts/demo --check --build build/release/bin
if [ $full = 1 ]; then
  asan_seeds=100
  step "sanitizer build" 1800 build asan
  KITH_SEEDS=$asan_seeds step "tests under ASan and UBSan" 1800 run_tests asan
  for bench in build/release/bin/bench_*; do step "${bench##*/}" 600 "$bench"; done
  step "a bare Debian" 7200 or_skipped tests/package/bare_root.sh
  step "100,000 simulated worlds" 14400 tests/simulation/seeds.sh 100000
fi
