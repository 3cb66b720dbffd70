#!/usr/bin/env bash
# A member that replaces its keys, and then cuts its log after a theft: the other, which can only dial
# it, follows both, and everything audits from the first entry on.
# usage: keys.sh FOLDER_WITH_PROGRAMS
set -euo pipefail
programs=$(cd "${1:?name the folder that holds kithd and kith}" && pwd)
PATH=$programs:$PATH
dir=$(mktemp -d)
daemons=()
trap 'kill "${daemons[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
failures=0
failed() { echo "keys: $*"; failures=$((failures + 1)); }
die() { echo "keys: $*"; exit 1; }
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


again() { # the founder's daemon, at the address that the other dials
  kithd --dir "$dir/ZZA" run --listen "$address" >>"$dir/ZZA.log" 2>&1 &
  daemons[0]=$!
  until_true 20 as ZZA status
}
stopped() { kill "${daemons[0]}"; wait "${daemons[0]}" 2>/dev/null || true; }
said_by_a() { # text: what the founder publishes next, and the other comes to hold
  printf '# Next\n\n%s\n' "$1" >"$dir/next.md"
  until_true 20 as ZZA publish --yes --json "$dir/next.md"
  local id
  id=$(as ZZA list --json | id_in)
  until_true 40 as ZZB show "$id"
}
said_by_a "with the first keys"

# Words of the wrong sheet change nothing; the right ones do.
stopped
before=$(sha256sum "$dir/ZZA/identity")
refused 1 "another member" kithd --dir "$dir/ZZA" renew --words-file "$dir/words-b"
echo twelve >"$dir/twelve"
chmod 600 "$dir/twelve"
refused 1 "24 recovery words" kithd --dir "$dir/ZZA" cut --words-file "$dir/twelve"
[ "$before" = "$(sha256sum "$dir/ZZA/identity")" ] || failed "a refused renewal changed the identity"
refused 0 "certificate" kithd --dir "$dir/ZZA" renew --words-file "$dir/words-a"
again
said_by_a "with the second keys"

stopped
refused 0 "is cut at" kithd --dir "$dir/ZZA" cut --words-file "$dir/words-a"
refused 1 "not entered" kithd --dir "$dir/ZZA" renew --words-file "$dir/words-a"
again
said_by_a "with the third keys"

for code in ZZA ZZB; do as $code audit ZZA >/dev/null || failed "$code finds fault with the history"; done
as ZZB export "$dir/export" --member ZZA >/dev/null 2>&1
kith verify "$dir/export" >"$dir/said" || failed "kith verify: $(cat "$dir/said")"
kithd --dir "$dir/ZZA" check >/dev/null 2>&1 && failed "a running daemon's directory was checked"
stopped
kithd --dir "$dir/ZZA" check >/dev/null || failed "kithd check finds fault with the store"

[ $failures -eq 0 ] && echo "keys: all is well"
exit $failures
