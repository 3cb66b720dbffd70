#!/usr/bin/env bash
# Keys for an auditor, from the command line to kith verify: of a whole log, of one entry, of another
# member's entry with its consent; what was asked for is in the trail, and no space key ever leaves.
# usage: disclosure.sh FOLDER_WITH_PROGRAMS
set -euo pipefail
programs=$(cd "${1:?name the folder that holds kithd and kith}" && pwd)
PATH=$programs:$PATH
dir=$(mktemp -d)
daemons=()
trap 'kill "${daemons[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
failures=0
failed() { echo "disclosure: $*"; failures=$((failures + 1)); }
die() { echo "disclosure: $*"; exit 1; }
until_true() { # seconds, command…
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { cat "$dir"/*.log; die "in vain: $*"; }
    sleep 0.1
  done
}
as() { # member, arguments of kith
  KITH_SOCKET=$dir/$1/kithd.sock KITH_KEY=$dir/$1.kith-key XDG_STATE_HOME=$dir/state kith "${@:2}"
}
refused() { # exit code, words, command…
  local code=$1 words=$2 status=0
  "${@:3}" >"$dir/said" 2>&1 </dev/null || status=$?
  [ "$status" -eq "$code" ] && grep -q -- "$words" "$dir/said" ||
    failed "$(printf '%s\n  exit %s (expected %s), said: %s' "${*:3}" "$status" "$code" "$(cat "$dir/said")")"
}
says() { # words: the last command said them
  grep -qF -- "$1" "$dir/said" || failed "\"$1\" is not in: $(cat "$dir/said")"
}
id_in() { tr ',{}[]' '\n' | sed -n 's/^ *"id": *"\([a-z2-7]*\)".*/\1/p' | head -n 1; }
member_id() { as "$1" status --json | sed -n 's/^ *"member": *"\([a-z2-7]*\)".*/\1/p'; }

# Two members.
for code in ZZA ZZB; do as $code init >/dev/null 2>&1; done
kithd --dir "$dir/ZZA" init --found --name Test --aim "To learn." --code ZZA --member-name Ashdown \
  --role trust --steward "$dir/ZZA.kith-key" --words-file "$dir/words-a" >/dev/null
kithd --dir "$dir/ZZA" run --listen 127.0.0.1:0 >"$dir/ZZA.log" 2>&1 &
daemons+=($!)
until_true 20 as ZZA status
address=$(as ZZA status --json | sed -n 's/^ *"listen": *"\(.*\)".*/\1/p')
as ZZA invite --address "$address" --out "$dir/b.kith-invite" >/dev/null 2>&1
kithd --dir "$dir/ZZB" init --join "$dir/b.kith-invite" --code ZZB --member-name Brackenfield \
  --role trust --steward "$dir/ZZB.kith-key" --words-file "$dir/words-b" >/dev/null
kithd --dir "$dir/ZZB" run --no-listen --peer "ZZA=$address" >"$dir/ZZB.log" 2>&1 &
daemons+=($!)
until_true 20 as ZZB status
until_true 30 as ZZA consent ZZB --yes
is_member() { as ZZB status --json | grep -q '"state": "member"'; }
until_true 30 is_member

printf '# One\n\nfirst secret text\n' >"$dir/1.md"
printf '# Two\n\nsecond secret text\n' >"$dir/2.md"
printf '# Three\n\nthird secret text\n' >"$dir/3.md"
one=$(as ZZA publish --yes --json "$dir/1.md" | id_in)
as ZZA publish --yes "$dir/2.md" >/dev/null 2>&1
three=$(as ZZB publish --yes --json "$dir/3.md" | id_in)
until_true 30 as ZZA show "$three"
until_true 30 as ZZB show "$one"
words=(--to 'Regional "auditor"' --purpose 'audit \ 2026')

# What is asked for wrongly.
refused 2 "--yes" as ZZA disclose "${words[@]}" --out "$dir/own.kith-disclosure"
refused 2 "--out FILE" as ZZA disclose "${words[@]}" --yes
refused 2 "required" as ZZA disclose --yes --to x --out "$dir/own.kith-disclosure"
refused 2 "in one line" as ZZA disclose --yes --to " x" --purpose y --out "$dir/own.kith-disclosure"
refused 2 "make one file of keys for each" as ZZA disclose --yes "$one" "$three" "${words[@]}" \
  --out "$dir/both.kith-disclosure"
[ ! -e "$dir/ZZA/trail" ] || failed "what was refused is in the trail"

# Of the own log, and of one entry of it.
as ZZA disclose "${words[@]}" --yes --out "$dir/own.kith-disclosure" 2>/dev/null >/dev/null
as ZZA disclose "$one" "${words[@]}" --yes --json --out "$dir/one.kith-disclosure" 2>/dev/null |
  grep -q '"opens": "records"' || failed "no JSON of one entry"
refused 1 "exists already" as ZZA disclose "${words[@]}" --yes --out "$dir/own.kith-disclosure"
[ "$(stat -c %a "$dir/own.kith-disclosure" "$dir/one.kith-disclosure" "$dir/ZZA/trail" | sort -u)" = 600 ] ||
  failed "keys or trail can be read by others"
[ "$(wc -l <"$dir/ZZA/trail")" = 2 ] || failed "the trail has not two lines: $(cat "$dir/ZZA/trail")"
grep -qF '"recipient":"Regional \"auditor\""' "$dir/ZZA/trail" || failed "no recipient in $(cat "$dir/ZZA/trail")"
grep -qF '"purpose":"audit \\ 2026"' "$dir/ZZA/trail" || failed "no purpose in $(cat "$dir/ZZA/trail")"
grep -qF "\"asked_by\":\"uid $(id -u)," "$dir/ZZA/trail" || failed "nobody asked in $(cat "$dir/ZZA/trail")"

# Another member's entry, without and with its consent.
refused 1 "ask somebody who speaks for ZZA" as ZZB disclose "$one" "${words[@]}" --yes \
  --out "$dir/other.kith-disclosure"
[ ! -e "$dir/ZZB/trail" ] || failed "what was refused is in the trail"
refused 1 "only that member can consent" as ZZB disclose --allow "$one" "${words[@]}" --yes
consent=$(as ZZA disclose --allow "$one" "${words[@]}" --yes 2>/dev/null)
until_true 30 as ZZB show "$consent"
refused 1 "ask somebody who speaks for ZZA" as ZZB disclose "$one" --to Another --purpose 'audit \ 2026' --yes \
  --out "$dir/other.kith-disclosure"
refused 1 "ask somebody who speaks for ZZA" as ZZB disclose --member ZZA "${words[@]}" --yes \
  --out "$dir/other.kith-disclosure"
as ZZB disclose "$one" "${words[@]}" --yes --out "$dir/other.kith-disclosure" >/dev/null 2>&1 ||
  failed "a consent did not help"
grep -q "^consent $consent$" "$dir/other.kith-disclosure" || failed "the file does not name the consent"
grep -qF "\"consent\":\"$consent\"" "$dir/ZZB/trail" || failed "the trail does not name the consent"

# Its whole log, once it said so.
as ZZA disclose --allow --to Court --purpose "case 7" --yes >"$dir/consent" 2>/dev/null
until_true 30 as ZZB show "$(cat "$dir/consent")"
as ZZB disclose --member ZZA --to Court --purpose "case 7" --yes --out "$dir/court.kith-disclosure" >/dev/null 2>&1 ||
  failed "a consent to the whole log did not help"

# What they open.
as ZZB export "$dir/export" --with-payloads >/dev/null 2>&1
# Counts of one log in the JSON of kith verify.
count() { # member, name
  awk -v path="\"commons/$1\"," -v name="\"$2\":" \
    '$1 == "\"path\":" { here = $2 == path } here && $1 == name { sub(",", "", $2); print $2; exit }' "$dir/json"
}
verify() { # exit code, arguments of kith verify
  local status=0
  kith verify "$dir/export" --json "${@:2}" >"$dir/json" || status=$?
  [ "$status" -eq "$1" ] || failed "verify ${*:2} ended with $status, not $1: $(cat "$dir/json")"
}
verify 0
sealed_a=$(count ZZA sealed)
sealed_b=$(count ZZB sealed)
[ "$(count ZZA opened)" = 0 ] && [ "$sealed_a" -ge 3 ] || failed "without keys something was opened"
for file in own court; do
  verify 0 --keys "$dir/$file.kith-disclosure"
  [ "$(count ZZA opened)" = "$sealed_a" ] && [ "$(count ZZA sealed)" = 0 ] || failed "$file did not open all of ZZA"
  [ "$(count ZZB opened)" = 0 ] && [ "$(count ZZB sealed)" = "$sealed_b" ] || failed "$file opened something of ZZB"
done
for file in one other; do
  verify 0 --keys "$dir/$file.kith-disclosure"
  [ "$(count ZZA opened)" = 1 ] && [ "$(count ZZA sealed)" = $((sealed_a - 1)) ] || failed "$file did not open one entry"
  [ "$(count ZZB opened)" = 0 ] || failed "$file opened something of ZZB"
done
kith verify "$dir/export" --keys "$dir/own.kith-disclosure" >"$dir/said"
says "Keys of $dir/own.kith-disclosure: given by the member itself"
says "Checked: the author signatures of"
sed 's/^time ./&1/' "$dir/own.kith-disclosure" >"$dir/changed.kith-disclosure"
refused 3 "changed or cut off" kith verify "$dir/export" --keys "$dir/changed.kith-disclosure"
refused 2 "no folder" kith verify "$dir/1.md" --keys "$dir/own.kith-disclosure"
as ZZB export "$dir/clear" --member ZZA >/dev/null 2>&1
refused 7 "with-payloads" kith verify "$dir/clear" --keys "$dir/own.kith-disclosure"
as ZZB export "$dir/of-b" --member ZZB >/dev/null 2>&1
refused 2 "is not in this export" kith verify "$dir/of-b" --keys "$dir/own.kith-disclosure"

# No space key, in whatever writing, in anything that leaves.
keys=$(sed -n 's/^commons-key-[gr] //p' "$dir/ZZA/identity")
[ "$(wc -w <<<"$keys")" = 2 ] || die "the identity names no space keys"
holds_key() { # file: in base32, hex, base64, or as bytes
  local key hex
  for key in $keys; do
    hex=$(base32 -d <<<"${key^^}====" | od -An -v -tx1 | tr -d ' \n')
    grep -qiE "$key|$hex" "$1" && return 0
    grep -qF "$(base32 -d <<<"${key^^}====" | base64 -w 0 | tr -d =)" "$1" && return 0
    od -An -v -tx1 "$1" | tr -d ' \n' | grep -q "$hex" && return 0
  done
  return 1
}
holds_key "$dir/ZZA/identity" || die "the search finds no key in base32"
first=${keys%%[[:space:]]*}
base32 -d <<<"${first^^}====" >"$dir/raw"
holds_key "$dir/raw" || die "the search finds no key in bytes"
searched=0
while read -r file; do
  searched=$((searched + 1))
  ! holds_key "$file" || failed "a space key is in $file"
done < <(find "$dir/export" "$dir/clear" "$dir/of-b" "$dir"/*.kith-disclosure "$dir"/ZZ?/trail -type f)
[ $searched -ge 20 ] || failed "only $searched files were searched"

# If it cannot be written down, no key leaves.
mv "$dir/ZZA/trail" "$dir/kept"
mkdir "$dir/ZZA/trail"
refused 1 "nothing was disclosed" as ZZA disclose "${words[@]}" --yes --out "$dir/not.kith-disclosure"
[ ! -e "$dir/not.kith-disclosure" ] || failed "keys left without a line in the trail"

[ $failures -eq 0 ] || exit 1
echo "disclosure: $sealed_a entries of one log opened and none of the other, one entry alone with and without a consent, no space key left"
