#!/usr/bin/env bash
# Simulated worlds by the hundred thousand, in blocks. A block that passed is written down, and not
# run again with the same binary: so the run may be stopped at any time and goes on where it was.
# usage: tests/simulation/seeds.sh [LAST_SEED]    100000 if not given; KITH_JOBS cores (2)
set -euo pipefail
cd "$(dirname "$0")/../.."
block=200
folder=build/seeds

sum() { # number of a column of the progress file
  awk -v binary="$KITH_BINARY" -v column="$1" -v last="$KITH_LAST" \
    '$1 == binary && $2 <= last {all += $column} END {print all + 0}' "$folder/done"
}

run_block() { # first seed
  local first=$1 count=$block out=$folder/block-$1
  [ $((first + count - 1)) -le "$KITH_LAST" ] || count=$((KITH_LAST - first + 1))
  if ! KITH_FIRST_SEED=$first KITH_SEEDS=$count "$folder/$KITH_BINARY" \
    --gtest_filter='*Convergence*' >"$out" 2>&1; then
    mv "$out" "$out.failed"
    printf 'FAILED in seeds %d to %d: %s.failed\n' "$first" $((first + count - 1)) "$out"
    grep -A 6 'KITH_SEED=' "$out.failed" || true
    return 0 # The other blocks are worth running all the same.
  fi
  # binary, first seed, seeds, worlds, acknowledged, crashes, decisions: one write, so one line.
  awk -v head="$KITH_BINARY $first $count" '/^worlds: / {w += $2; a += $4; c += $6; d += $8}
    END {print head, w, a, c, d}' <(tr -d ',' <"$out") >>"$folder/done"
  rm "$out"
  local all now=$(($(sum 3) - KITH_BEFORE)) took=$(($(date +%s) - KITH_BEGAN))
  all=$((KITH_BEFORE + now))
  printf '%s %d of %d seeds; %d ms a seed; about %d minutes left\n' "$(date +%H:%M)" $all \
    "$KITH_LAST" $((took * 1000 / now)) $(((KITH_LAST - all) * took / now / 60))
}

if [ "${1:-}" = --block ]; then
  run_block "$2"
  exit
fi

export KITH_LAST=${1:-100000}
mkdir -p "$folder"
exec 9>"$folder/lock"
flock -n 9 || { echo 'another run is going on' >&2; exit 1; }
touch "$folder/done"
rm -f "$folder"/block-*
# A copy, as a build may go on meanwhile; named after what it is.
binary=build/release/bin/simulation_test
KITH_BINARY=$(sha256sum $binary | cut -c 1-16)
export KITH_BINARY
[ -x "$folder/$KITH_BINARY" ] || install $binary "$folder/$KITH_BINARY"
KITH_BEFORE=$(sum 3)
KITH_BEGAN=$(date +%s)
export KITH_BEFORE KITH_BEGAN

is_done() { grep -q "^$KITH_BINARY $1 " "$folder/done"; }
for first in $(seq 1 $block "$KITH_LAST"); do
  is_done "$first" || echo "$first"
done | xargs -r -P "${KITH_JOBS:-2}" -n 1 "$0" --block

failures=$(find "$folder" -name 'block-*.failed' | wc -l)
printf '{"figure":"simulated worlds","seeds":%d,"worlds":%d,"acknowledged_records":%d,"crashes":%d,"decisions":%d,"failed_blocks":%d}\n' \
  "$(sum 3)" "$(sum 4)" "$(sum 5)" "$(sum 6)" "$(sum 7)" "$failures"
[ "$failures" = 0 ]
