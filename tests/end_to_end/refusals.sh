#!/usr/bin/env bash
# What goes wrong at a desk or on a machine: each a clear message, the right exit code, nothing lost.
# usage: refusals.sh FOLDER_WITH_PROGRAMS
set -euo pipefail
programs=$(cd "${1:?name the folder that holds kithd and kith}" && pwd)
PATH=$programs:$PATH
dir=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2>/dev/null; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
export KITH_SOCKET=$dir/a/kithd.sock KITH_KEY=$dir/author.kith-key XDG_STATE_HOME=$dir/state
failures=0

# refused EXIT_CODE WORDS COMMAND…: it must end with that code and say those words.
refused() {
  local code=$1 words=$2 said status=0
  shift 2
  said=$("$@" 2>&1 </dev/null) || status=$?
  if [ "$status" -ne "$code" ] || ! grep -qi -- "$words" <<<"$said"; then
    printf 'refusals: %s\n  exit %s (expected %s), said: %s\n  expected to read: %s\n' \
      "$*" "$status" "$code" "$said" "$words"
    failures=$((failures + 1))
  fi
}
until_true() { # seconds, command…
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "refusals: in vain: $*"; exit 1; }
    sleep 0.1
  done
}

refused 4 "$dir/a/kithd.sock" kith list
kith init >/dev/null 2>&1
refused 1 "never overwritten" kith init
kithd --dir "$dir/a" init --found --name Test --aim "To learn." --code ZZA --member-name Ashdown \
  --role trust --steward "$KITH_KEY" --words-file "$dir/words" >/dev/null
refused 1 "already holds an identity" kithd --dir "$dir/a" init --found --name Test --aim "To learn." --code ZZA \
  --member-name Ashdown --role trust --steward "$KITH_KEY"
kithd --dir "$dir/a" run --no-listen >"$dir/log" 2>&1 &
daemon=$!
until_true 20 kith status

refused 1 "is in use" kithd --dir "$dir/a" run --no-listen
refused 1 "is in use" kithd --dir "$dir/a" check

: >"$dir/empty.md"
refused 2 "empty" kith publish --yes "$dir/empty.md"
printf 'text\n\377\376 broken\n' >"$dir/bad.md"
refused 2 "bad.md:2" kith publish --yes "$dir/bad.md"
head -c 5000 /dev/zero >"$dir/binary.md"
refused 2 "binary.md" kith publish --yes "$dir/binary.md"
head -c 2000000 /dev/zero | tr '\0' x >"$dir/large.md"
refused 2 "large" kith publish --yes "$dir/large.md"
printf -- '---\nkind: practice\ntitel: Falls\n---\ntext\n' >"$dir/field.md"
refused 2 "field.md:3.*titel" kith publish --yes "$dir/field.md"
refused 2 "missing" kith publish --yes "$dir/field.md"
refused 2 "nowhere.md" kith publish --yes "$dir/nowhere.md"
chmod 644 "$KITH_KEY"
printf '# Good\n\ntext\n' >"$dir/good.md"
refused 1 "chmod" kith publish --yes "$dir/good.md"
chmod 600 "$KITH_KEY"
KITH_KEY=$dir/stranger.kith-key kith init >/dev/null 2>&1
refused 1 "enrol" env KITH_KEY="$dir/stranger.kith-key" kith publish --yes "$dir/good.md"
refused 1 "no " kith show zzzzzzzz
refused 2 "help" kith frobnicate
refused 2 "did you mean" kith list --kind practise
printf -- '---\nknd: practice\n---\ntext\n' >"$dir/slip.md"
refused 2 'slip.md:2: knd.*write "kind:"' kith publish --yes "$dir/slip.md"
refused 2 "--address HOST:PORT" kith invite
refused 2 "no folder" kith invite --address 127.0.0.1:1 --out "$dir/nowhere/mine"
refused 2 "is no socket" kith --socket "$dir/good.md" list
refused 2 "no author name" kith author enrol "$KITH_KEY"
refused 2 "capital letters" kithd --dir "$dir/b" init --join x --code "a b" --member-name B --role r --steward "$KITH_KEY"
refused 2 "--join INVITEFILE.*--code CODE.*--steward KEYFILE" kithd init --dir "$dir/b"
refused 2 "no author's key file" kithd --dir "$dir/b" init --join x --code B --member-name B --role r --steward /etc/hostname
refused 78 "holds no identity" kithd run --dir "$dir/b"

# After all that the daemon still serves, and what is published survives kill -9.
kith publish --yes "$dir/good.md" >/dev/null
kill -9 "$daemon"
wait "$daemon" 2>/dev/null || true
kithd --dir "$dir/a" run --no-listen >>"$dir/log" 2>&1 &
daemon=$!
until_true 20 kith status
until_true 20 grep -q Good <(kith list)
kith audit >/dev/null
refused 2 "was published before" kith publish --yes "$dir/good.md"
kith watch --since 0 >"$dir/watched" 2>&1 &
watching=$!
until_true 20 grep -q Good "$dir/watched"
kill "$daemon"
watched=0
wait "$watching" || watched=$?
[ "$watched" = 4 ] && grep -q "this daemon is ending" "$dir/watched" ||
  { echo "refusals: who watched was not told of the end (exit $watched)"; failures=$((failures + 1)); }
wait "$daemon" || { echo "refusals: SIGTERM did not end the daemon well"; failures=$((failures + 1)); }
daemon=
kithd --dir "$dir/a" check >/dev/null || { echo "refusals: check found damage"; failures=$((failures + 1)); }

[ $failures -eq 0 ] || exit 1
echo "refusals: every mistake got its message, the daemon went on, nothing was lost"
