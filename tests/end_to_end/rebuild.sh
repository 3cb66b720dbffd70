#!/usr/bin/env bash
# A disk dies: the member's directory is deleted, and comes back complete from its recovery words and an
# invitation of another member; the audit says the same as before. Under real daemons.
# usage: rebuild.sh FOLDER_WITH_PROGRAMS
set -euo pipefail
programs=$(cd "${1:?name the folder that holds kithd and kith}" && pwd)
PATH=$programs:$PATH
dir=$(mktemp -d)
declare -A pid=() port=()
# An address of this machine that no other run uses: made from the process number.
host=127.$((64 | $$ >> 16 & 63)).$(($$ >> 8 & 255)).$(($$ & 255))
finish() {
  local code
  for code in "${!pid[@]}"; do kill "${pid[$code]}" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT
failures=0
failed() { echo "rebuild: $*"; failures=$((failures + 1)); }
die() { echo "rebuild: $*"; tail -n 8 "$dir"/*.log 2>/dev/null || true; exit 1; }
until_true() { # seconds, command…
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
}
# ends EXIT_CODE WORDS COMMAND…: it must end with that code and say those words.
ends() {
  local code=$1 words=$2 said status=0
  shift 2
  said=$("$@" 2>&1 </dev/null) || status=$?
  [ "$status" -eq "$code" ] && grep -qi -- "$words" <<<"$said" ||
    failed "$*"$'\n'"  exit $status (expected $code), said: $said"$'\n'"  expected to read: $words"
}
as() { # member, arguments of kith
  KITH_SOCKET=$dir/$1/kithd.sock KITH_KEY=$dir/$1.kith-key XDG_STATE_HOME=$dir/state kith "${@:2}"
}
start() { # member, where its directory lies if not at the usual place
  kithd --dir "$dir/${2:-$1}" run --listen "$host:${port[$1]}" >>"$dir/$1.log" 2>&1 &
  pid[$1]=$!
}
stop() { # member, signal
  kill "-${2:-TERM}" "${pid[$1]}"
  wait "${pid[$1]}" 2>/dev/null || [ "${2:-TERM}" = KILL ] || failed "the daemon of $1 did not end well"
  unset "pid[$1]"
}
init() { # member, how…
  port[$1]=$((7547 + ${#port[@]}))
  KITH_KEY=$dir/$1.kith-key kith init >/dev/null 2>&1
  kithd --dir "$dir/$1" init "${@:2}" --code "$1" --member-name "$1 Hospitals" --role trust \
    --steward "$dir/$1.kith-key" --address "$host:${port[$1]}" --words-file "$dir/$1-words" >/dev/null
  start "$1"
  until_true 60 as "$1" status || die "the daemon of $1 did not start"
}
state_is() { as "$1" status --json | grep -q "\"state\": *\"$2\""; }
shows() { as "$1" list --limit 1000 --json | grep -q -- "$2"; }
publish() { # member, title
  printf '# %s\n\nWhat was learnt.\n' "$2" >"$dir/note.md"
  as "$1" publish --yes "$dir/note.md" >/dev/null 2>"$dir/said" || failed "$1 could not publish $2: $(cat "$dir/said")"
}
open_proposal() { as "$1" proposals --json | tr ',{}[]' '\n' | sed -n 's/^ *"id": *"\([a-z2-7]*\)".*/\1/p' | head -n 1 | grep .; }
join() { # newcomer, who consents beside ASH…
  as ASH invite --out "$dir/$1.kith-invite" >/dev/null
  init "$1" --join "$dir/$1.kith-invite"
  has_candidate() { as ASH proposals --json | grep -q "\"$1\""; }
  until_true 30 has_candidate "$1" || die "$1 did not come"
  as ASH consent --yes "$1" >/dev/null 2>&1
  local other
  for other in "${@:2}"; do
    until_true 30 open_proposal "$other" || true
    as "$other" consent --yes "$(open_proposal "$other")" >/dev/null 2>&1 || true
  done
  until_true 60 state_is "$1" member || die "$1 was not admitted"
}
# One line for each log: code, size, records, intact, agreed size.
audited() {
  local field
  as "$1" audit --json | tr -d '\n' | sed 's/"code"/\n&/g' | grep '^"code"' | while read -r row; do
    for field in code size records intact agreed; do
      sed -n "s/.*\"$field\": *\"\?\([A-Za-z0-9]*\).*/\1/p" <<<"$row"
    done | paste -sd ' '
  done | sort
}
size_of() { audited "$1" | sed -n "s/^$2 \([0-9]*\) .*/\1/p"; }
agrees() { audited "$1" | grep -qE "^$2 ([0-9]+) [0-9]+ true \1$"; } # who is asked, about whom

init ASH --found --name "Five Rivers" --aim "To learn."
until_true 20 state_is ASH member || die "the founder is no member"
join BRA
join CAL BRA
for code in ASH BRA CAL; do publish "$code" "Of $code"; done
for title in One Two Three; do publish BRA "$title"; done
for code in ASH BRA CAL; do
  until_true 60 shows "$code" '"Three"' || die "$code lacks what BRA published"
  until_true 60 agrees "$code" BRA || die "the log of BRA is not agreed at $code"
done

# The sheet is tried while the daemon runs.
words=$dir/BRA-words
ends 0 "Yes: these are the recovery words of BRA" kithd --dir "$dir/BRA" recover --rehearse --words-file "$words"
ends 1 "words of another member" kithd --dir "$dir/BRA" recover --rehearse --words-file "$dir/ASH-words"
sed 's/^[a-z]* /kith /' "$words" >"$dir/mistyped" && chmod 600 "$dir/mistyped"
ends 1 'word 1 ("kith") is not in the list' kithd --dir "$dir/BRA" recover --rehearse --words-file "$dir/mistyped"
ends 1 "there is no terminal.*--words-file" setsid kithd --dir "$dir/BRA" recover --rehearse
grep -q '"act":"rehearsal".*"words":"right"' "$dir/BRA/trail" || failed "the trail does not tell of the rehearsal"
first=$(head -n 1 "$words" | cut -d ' ' -f 1-3)
! grep -rq "$first" "$dir/BRA" || failed "the words lie in the directory"

# The disk dies.
before=$(audited BRA)
size=$(size_of BRA BRA)
stop BRA
cp -r "$dir/BRA" "$dir/BRA-was-not-dead"
rm -rf "$dir/BRA"
publish CAL "While BRA was away"

as CAL invite --out "$dir/back.kith-invite" >/dev/null
ends 1 'word 1 ("kith")' kithd --dir "$dir/BRA" recover --join "$dir/back.kith-invite" \
  --steward "$dir/BRA.kith-key" --words-file "$dir/mistyped"
ends 0 "must never run again" kithd --dir "$dir/BRA" recover --join "$dir/back.kith-invite" \
  --steward "$dir/BRA.kith-key" --words-file "$words"
ends 1 "already holds an identity" kithd --dir "$dir/BRA" recover --join "$dir/back.kith-invite" \
  --steward "$dir/BRA.kith-key" --words-file "$words"
start BRA
until_true 60 as BRA status || die "the daemon of BRA did not start"
# It dies once more on the way.
stop BRA KILL
start BRA
rebuilt() { grep -q "the new certificate is entry" "$dir/BRA.log" && agrees BRA BRA; }
until_true 120 rebuilt || die "BRA was not rebuilt: $(as BRA status)"
until_true 60 shows BRA '"While BRA was away"' || failed "what came meanwhile is missing"
for title in "Of ASH" "Of BRA" "Of CAL" One Two Three; do
  until_true 60 shows BRA "\"$title\"" || failed "$title did not come back"
done
until_true 60 agrees ASH BRA || failed "the others do not confirm the log of the rebuilt member"
[ "$(size_of BRA BRA)" -eq $((size + 1)) ] || failed "the log of BRA has $(size_of BRA BRA) entries, and had $size"
after=$(audited BRA)
# But for one entry more of each of the three (certificate; grant and note; grant), all is as before.
same() { sed -nE "s/^$2 [0-9]+ ([0-9]+ [a-z]+) .*/\1/p" <<<"$1"; }
for code in ASH BRA; do
  [ "$(same "$before" "$code")" = "$(same "$after" "$code")" ] ||
    failed "the audit of $code differs: $(same "$before" "$code") before, $(same "$after" "$code") after"
done
[ "$after" = "$(audited ASH)" ] || failed "ASH and BRA audit differently: $after / $(audited ASH)"
! grep -q false <<<"$after" || failed "a log is not intact: $after"
as BRA status --json | grep -q '"code": *"BRA"' || failed "it does not know its code again"
publish BRA "After it came back"
for code in ASH CAL; do
  until_true 60 shows "$code" '"After it came back"' || failed "$code does not get what BRA publishes now"
done
as BRA export "$dir/export" >/dev/null 2>&1 || failed "BRA cannot export"
kith verify "$dir/export" >"$dir/verified" 2>&1 || failed "the export does not verify: $(cat "$dir/verified")"

# The old machine was not dead after all: it says so and signs nothing.
stop BRA
mv "$dir/BRA" "$dir/BRA-new" && mv "$dir/BRA-was-not-dead" "$dir/BRA"
was=$(as ASH list --limit 1000 --json | wc -c)
start BRA
until_true 60 as BRA status || die "the old daemon of BRA did not start"
printf '# From the dead\n\ntext\n' >"$dir/note.md"
as BRA publish --yes "$dir/note.md" >/dev/null 2>&1 || true
until_true 5 shows ASH '"From the dead"' && failed "the old machine still speaks for BRA"
[ "$(as ASH list --limit 1000 --json | wc -c)" -eq "$was" ] || failed "something of the old machine arrived"
! as ASH peers --json | grep -q '"frozen": *true' || failed "the old machine froze a log"
stop BRA

for code in ASH CAL; do stop "$code"; done
kithd --dir "$dir/BRA-new" check >/dev/null || failed "check at the rebuilt member found damage"
[ $failures -eq 0 ] || { tail -n 12 "$dir"/*.log; exit 1; }
echo "rebuild: all of a member came back from its words and an invitation; $size entries and its new certificate"
