#!/usr/bin/env bash
# Exports, checked by a program that shares no line with kith: tests/outside/*.go, over
# golang.org/x/mod/sumdb. It must accept a log of every size at which tiles begin or end, consistency
# between any two of them and what real daemons export, and refuse what was changed.
# usage: outside.sh FOLDER_WITH_PROGRAMS. Exits 77 without Go and x/mod (scripts/setup installs them).
# KITH_SHARED: also a log that kith did not write.
set -euo pipefail
cd "$(dirname "$0")/../.."
programs=$(cd "${1:?name the folder that holds kithd, kith and make_exports}" && pwd)
PATH=$programs:$PATH
go_path=/usr/share/gocode
if ! command -v go >/dev/null || [ ! -d $go_path/src/golang.org/x/mod/sumdb/tlog ]; then
  echo "GO OR X/MOD NOT FOUND: no outside verifier runs; scripts/setup installs golang-go and golang-golang-x-mod-dev"
  exit 77
fi

dir=$(mktemp -d)
demo=
finish() {
  [ -z "$demo" ] || { kill "$demo" 2>/dev/null || true; wait "$demo" 2>/dev/null || true; }
  rm -rf "$dir"
}
trap finish EXIT
failures=0
failed() { echo "outside: $*"; failures=$((failures + 1)); }
die() { echo "outside: $*"; exit 1; }
until_true() { # seconds, command…
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

# The real network comes up meanwhile.
scripts/demo --dir "$dir/net" --build "$programs" >"$dir/demo.log" 2>&1 &
demo=$!

GO111MODULE=off GOPATH=$go_path GOFLAGS='' GOPROXY=off CGO_ENABLED=0 GOCACHE=$dir/go-cache \
  go build -o "$dir/verify" tests/outside/*.go || die "the verifier does not build"
accepted() { # what, arguments of the verifier
  "$dir/verify" "${@:2}" 2>"$dir/said" || failed "$1 was refused: $(cat "$dir/said")"
}
# It must be refused for this and nothing else: a control that fails for a slip of its own shows nothing.
refusals=0
refused() { # what, a part of the reason, arguments of the verifier
  refusals=$((refusals + 1))
  if "$dir/verify" "${@:3}" >"$dir/said" 2>&1; then
    failed "$1 was accepted"
  elif ! grep -q -- "$2" "$dir/said"; then
    failed "$1 was refused, but not with \"$2\": $(cat "$dir/said")"
  fi
}
intact() { # export
  kith verify "$1" >"$dir/said" 2>&1 || failed "kith verify $1 ended with $?: $(cat "$dir/said")"
}
not_intact() { # what, export
  local status=0
  kith verify "$2" >"$dir/said" 2>&1 || status=$?
  [ $status -eq 3 ] || failed "$1: kith verify ended with $status: $(cat "$dir/said")"
}
flip() { # file, byte
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf "\\x$(printf %02x $((byte ^ 1)))" |
    dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

if [ -n "${KITH_SHARED:-}" ]; then
  echo "# a log that kith did not write"
  sample=$KITH_SHARED/vectors/tlog-tiles-sample
  mapfile -t keys < <(sed -n "s/^-\(vkey\|witness\) '\(.*\)'$/-vkey\n\2/p" "$sample/keys.txt")
  [ ${#keys[@]} -eq 6 ] || die "the sample has three keys, not ${#keys[@]} words"
  accepted "the sample" "${keys[@]}" -old "$sample/old-checkpoint" "$sample/export"
else
  echo "OUTSIDE VECTORS NOT FOUND: set KITH_SHARED to the folder that holds them; the rest runs"
fi

echo "# one log at every edge of its tiles"
# At the last one, names of tiles get a second part: x001/000.
sizes=(1 2 255 256 257 65535 65536 65537 100000 256257)
make_exports "$dir/made" "${sizes[@]}"
pairs=0
older=()
for size in "${sizes[@]}"; do
  log=$dir/made/$size/commons/ZZA
  accepted "size $size" -keys "$dir/made/$size/kith-export" "${older[@]}" "$log"
  intact "$dir/made/$size"
  pairs=$((pairs + ${#older[@]} / 2))
  older+=(-old "$log/checkpoint")
done

echo "# what was changed"
keys=(-keys "$dir/made/257/kith-export")
refuse_flips() { # export, path in the log, byte, reason
  local file=$dir/made/$1/commons/ZZA/$2
  flip "$file" "$3"
  refused "a bit of $2 at size $1" "$4" "${keys[@]}" "$dir/made/$1/commons/ZZA"
  not_intact "a bit of $2 at size $1" "$dir/made/$1"
  flip "$file" "$3"
}
for path in 0/000 0/001.p/1 1/000.p/1; do
  refuse_flips 257 "tile/$path" 20 "tile/$path is not what the entries give"
done
for path in 0/000 0/255 0/256.p/1 1/000 2/000.p/1; do
  refuse_flips 65537 "tile/$path" 20 "tile/$path is not what the entries give"
done
for path in 000 255 256.p/1; do
  refuse_flips 65537 "tile/entries/$path" 40 "the entries give the root"
done
refuse_flips 257 tile/entries/000 40 "the entries give the root"
refuse_flips 257 tile/entries/000 1 "tile/entries/000: "

log=$dir/made/257/commons/ZZA
mv "$log/tile/1" "$dir/away"
refused "a level of tiles removed" "tile/1/000.p/1 is missing" "${keys[@]}" "$log"
mv "$dir/away" "$log/tile/1"
head -c 64 "$log/tile/0/000" >"$log/tile/0/002"
refused "a tile added" "tile/0/002 lies beyond" "${keys[@]}" "$log"
rm "$log/tile/0/002"

# The checkpoint. What was there comes back by itself.
cp "$log/checkpoint" "$dir/checkpoint"
change() { # what, reason, sed script
  sed -E "$3" "$dir/checkpoint" >"$log/checkpoint"
  ! cmp -s "$dir/checkpoint" "$log/checkpoint" || die "the control \"$1\" changes nothing"
  refused "$1" "$2" "${keys[@]}" "$log"
  not_intact "$1" "$dir/made/257"
  cp "$dir/checkpoint" "$log/checkpoint"
}
change "a cosignature removed" "1 witnesses signed it, not 2" '$d'
change "the log's signature removed" "the log did not sign it" '5d'
change "another size" "invalid signature" '2s/.*/256/'
change "a cosignature twice" "a second line" '$p'
change "a cosignature in another writing" "could be written otherwise" '$ { s/A==$/B==/; s/Q==$/R==/; s/g==$/h==/; s/w==$/x==/ }'
change "a size with a leading zero" "is no size" '2s/^/0/'
change "a size beyond 2^63-1" "is no size" '2s/.*/9223372036854775808/'
change "an empty log" "knows no empty log" '2s/.*/0/'
change "a further line" "a checkpoint has three lines" '3s/$/\nmore/'
bytes=$(stat -c %s "$log/checkpoint")
for ((byte = 0; byte < bytes; byte += 5)); do
  refuse_flips 257 checkpoint "$byte" "checkpoint: "
done
cmp "$dir/checkpoint" "$log/checkpoint"

# A witness's key as if it were a log's: another id, so its line counts for nothing.
vkey=$(sed -n 's/^vkey //p' "$dir/made/257/kith-export" | tail -n 1)
others=$(sed -n 's/^vkey /-vkey /p' "$dir/made/257/kith-export" | head -n -1)
key() { printf '\001'; base64 -d <<<"${vkey#*+*+}" | tail -c 32; }
id=$({ printf '%s\n' "${vkey%%+*}"; key; } | sha256sum | head -c 8)
refused "a log's key for a witness's" "1 witnesses signed it, not 2" $others -vkey "${vkey%%+*}+$id+$(key | base64)" \
  -quorum 2 "$log"

# The same keys signed both, and each is intact alone.
fork=$dir/made/fork/commons/ZZA
accepted "the fork" "${keys[@]}" "$fork"
intact "$dir/made/fork"
for size in 257 65537 100000; do
  refused "another history, at size $size" "not consistent" "${keys[@]}" -old "$fork/checkpoint" \
    "$dir/made/$size/commons/ZZA"
done
refused "a log that lost entries" "the old checkpoint is of 257 entries, this one of 256" "${keys[@]}" \
  -old "$log/checkpoint" "$dir/made/256/commons/ZZA"

echo "# a real network"
until_true 150 grep -qE '^Running until|^demo: ' "$dir/demo.log" || true
grep -q '^Running until' "$dir/demo.log" || { cat "$dir/demo.log"; die "the network did not come up"; }
as() { # member, author, arguments of kith
  KITH_SOCKET=$dir/net/$1/kithd.sock KITH_KEY=$dir/net/people/$1-$2.kith-key \
    XDG_STATE_HOME=$dir/state kith "${@:3}"
}
publish() { # member, files
  as "$1" ward publish --yes "${@:2}" >"$dir/said" 2>&1 || die "nothing published at $1: $(cat "$dir/said")"
}
export=$dir/export
# The words of a line: log, folder, member, space, size, hashes.
size_of() { awk -v path="commons/$2" '$1 == "log" && $2 == path { print $5 }' "$1/kith-export"; }
logs_of() { awk '$1 == "log" { print $2 }' "$1/kith-export"; }
# Whether ZZE exports that many entries of ZZA, and every log with two witnesses in its checkpoint.
exports() { # entries
  as ZZE steward export "$export" >"$dir/exported" 2>&1 || return 1
  [ "$(size_of "$export" ZZA)" -ge "$1" ] || return 1
  local path
  for path in $(logs_of "$export"); do
    [ "$(grep -c '^— kith/witness/' "$export/$path/checkpoint")" -ge 2 ] || return 1
  done
}
check_export() { # folder of the export before it, if there was one
  local path old
  intact "$export"
  [ "$(logs_of "$export" | wc -l)" -eq 7 ] || failed "not all seven logs were exported"
  for path in $(logs_of "$export"); do
    old=()
    [ -z "${1:-}" ] || old=(-old "$1/$path/checkpoint")
    accepted "$path" -keys "$export/kith-export" -quorum 2 "${old[@]}" "$export/$path"
  done
}
# ZZA fills a bundle, which the next export takes over from this one.
mkdir "$dir/notes"
for i in $(seq 300); do printf '# Note %d\n\ntext\n' "$i" >"$dir/notes/$i.md"; done
publish ZZA "$dir/notes"/{1..280}.md
until_true 60 exports 280 || die "no export with two cosignatures of every log: $(cat "$dir/exported")"
check_export
cp -r "$export" "$dir/before"
size=$(size_of "$dir/before" ZZA)
bundle=$(stat -c %i "$export/commons/ZZA/kith/payloads/000")
publish ZZA "$dir/notes"/{281..290}.md
publish ZZB "$dir/notes"/{291..300}.md
both_grew() { exports $((size + 10)) && [ "$(size_of "$export" ZZB)" -gt "$(size_of "$dir/before" ZZB)" ]; }
until_true 60 both_grew || die "no second export: $(cat "$dir/exported")"
check_export "$dir/before"
[ "$(stat -c %i "$export/commons/ZZA/kith/payloads/000")" = "$bundle" ] || failed "a full bundle was fetched again"
keys=(-keys "$export/kith-export" -quorum 2)
refused "an older state of another log" "is of another log" "${keys[@]}" \
  -old "$dir/before/commons/ZZB/checkpoint" "$export/commons/ZZA"
refused "the later export as the older one" "the old checkpoint is of" "${keys[@]}" \
  -old "$export/commons/ZZA/checkpoint" "$dir/before/commons/ZZA"

[ $failures -eq 0 ] || exit 1
echo "outside: ${#sizes[@]} sizes, $pairs pairs of them and two exports of a real network accepted, $refusals changes refused"
