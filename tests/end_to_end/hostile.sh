#!/usr/bin/env bash
# Peers that want no good, against real daemons: garbage, slow and many connections, wrong keys,
# replays, huge claims, forged records. Each case is a JSON line with its figures; what must hold is
# checked in tests/faults/hostile. Meanwhile people read and members sync.
# usage: hostile.sh FOLDER_WITH_PROGRAMS. KITH_FULL=1: a million strangers instead of 20,000.
set -euo pipefail
programs=$(cd "${1:?name the folder that holds kithd, kith and hostile_peer}" && pwd)
PATH=$programs:$PATH
strangers=20000 slow_seconds=10
[ -z "${KITH_FULL:-}" ] || { strangers=1000000 slow_seconds=60; }

# A sanitizer keeps what was freed, so memory says nothing then.
! grep -q "__[at]san_init" "$programs/kithd" || export KITH_SANITIZED=1

dir=$(mktemp -d)
declare -A pid=() port=()
# Ports that no other run uses, below those that the system gives away: made from the process number.
# The attackers come from all of 127.0.0.0/8, to 127.0.0.1.
first_port=$((20000 + $$ % 4000 * 3))
finish() {
  local code
  for code in "${!pid[@]}"; do kill "${pid[$code]}" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT
failures=0
failed() { echo "hostile: $*"; failures=$((failures + 1)); }
die() { echo "hostile: $*"; tail -n 5 "$dir"/*.log 2>/dev/null || true; exit 1; }

until_true() { # seconds, command…
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.05
  done
}
as() { # member, author, arguments of kith
  KITH_SOCKET=$dir/$1/kithd.sock KITH_KEY=$dir/$1-$2.kith-key XDG_STATE_HOME=$dir/state kith "${@:3}"
}
start() { # member, arguments of kithd run
  kithd --dir "$dir/$1" run --listen "127.0.0.1:${port[$1]}" "${@:2}" >>"$dir/$1.log" 2>&1 &
  pid[$1]=$!
  until_true 60 as "$1" steward status || die "the daemon of $1 did not start"
}
signs() { ! as "$1" steward status | grep -q "before anything more is signed"; }
stop() {
  kill "${pid[$1]}"
  wait "${pid[$1]}" || failed "the daemon of $1 did not end well"
  unset "pid[$1]"
}
init() { # member, how…
  kithd --dir "$dir/$1" init "${@:2}" --code "$1" --member-name "$1 Hospitals" --role trust \
    --steward "$dir/$1-steward.kith-key" --address "127.0.0.1:${port[$1]}" \
    --words-file "$dir/$1-words" >/dev/null
}
attack() { # name, name=value…: prints its lines; a broken expectation counts
  timeout 900 hostile_peer "$@" "port=${port[ASH]}" "pid=${pid[ASH]:-0}" \
    "socket=$dir/ASH/kithd.sock" "dir=$dir/BRA" "identity=$dir/BRA/identity" ||
    failed "$1 did not go as it must"
}
# The same in the background, so that something can be measured meanwhile: returns when the daemon has
# so many more connections.
begin_attack() { # connections, name, name=value…
  local wanted=$(($(descriptors) + $1))
  shift
  attack "$@" >"$dir/attack" &
  attacking=$!
  felt() { [ "$(descriptors)" -ge $wanted ]; }
  until_true 20 felt || failed "$1 did not begin"
}
end_attack() {
  wait "$attacking" || true
  cat "$dir/attack"
  ! grep -q 'hostile:' "$dir/attack" || failures=$((failures + 1))
}
descriptors() { ls "/proc/${pid[ASH]}/fd" | wc -l; }
connected() { as "$1" steward peers --json | tr -d ' \n' | grep -q "\"code\":\"$2\"[^}]*\"connected\":true"; }
log_size() { as "$1" steward status --json | tr -d ' \n' | grep -o '"log_size":[0-9]*' | cut -d : -f 2; }
state_is() { as "$1" steward status --json | grep -q "\"state\": *\"$2\""; }
shows() { as "$1" steward list --limit 1000 --json | grep -q -- "$2"; }
milliseconds() { echo $((${EPOCHREALTIME/./} / 1000)); }
# How long it takes from a publication at BRA until ASH shows it.
sync_time() {
  local title from
  title="Note $RANDOM$RANDOM"
  printf '# %s\n\ntext\n' "$title" >"$dir/note.md"
  from=$(milliseconds)
  as BRA ward publish --yes "$dir/note.md" >/dev/null 2>&1
  until_true 30 shows ASH "$title" || { failed "nothing came through during $1"; return; }
  printf '{"case":"sync_during_%s","publish_to_shown_ms":%d}\n' "$1" $(($(milliseconds) - from))
}

# Two members, with people who may publish.
for code in ASH BRA; do
  port[$code]=$((first_port + ${#port[@]}))
  for author in steward ward; do
    KITH_KEY=$dir/$code-$author.kith-key kith init >"$dir/$code-$author.txt" 2>/dev/null
  done
done
init ASH --found --name "Five Rivers" --aim "To learn."
start ASH
until_true 20 state_is ASH member || die "the founder is no member"
as ASH steward invite --out "$dir/BRA.kith-invite" >/dev/null
init BRA --join "$dir/BRA.kith-invite"
start BRA
has_candidate() { as ASH steward proposals --json | grep -q '"BRA"'; }
until_true 30 has_candidate || die "the candidate did not come"
as ASH steward consent --yes BRA >/dev/null 2>&1
until_true 30 state_is BRA member || die "BRA was not admitted"
for code in ASH BRA; do
  as "$code" steward author enrol --scope publish \
    "$(grep -o 'kith-author-[a-z2-7]*' "$dir/$code-ward.txt" | head -n 1)" >/dev/null
done
printf '# Honest\n\ntext\n' >"$dir/honest.md"
as ASH ward publish --yes "$dir/honest.md" >/dev/null 2>&1
until_true 30 shows BRA Honest || die "BRA did not get what ASH published"
for name in good late once; do as ASH steward invite --out "$dir/$name.kith-invite" >/dev/null; done

echo "# strangers"
stop BRA
stop ASH
hostile_peer expire "dir=$dir/ASH" "invite=$dir/late.kith-invite" || failed "no invitation to expire"
: >"$dir/ASH.log"
start ASH
attack garbage "count=$strangers" "invite=$dir/good.kith-invite"
stop ASH
# The daemon's own count: a handshake for each opening of the control, and for nobody else.
begun=$(grep -o '[0-9]* handshakes begun' "$dir/ASH.log" | awk '{ sum += $1 } END { print sum + 0 }')
unknown=$(grep -o '[0-9]* that do not know' "$dir/ASH.log" | awk '{ sum += $1 } END { print sum + 0 }')
printf '{"case":"counted_by_the_daemon","strangers":%d,"handshakes_begun":%d}\n' "$unknown" "$begun"
[ "$begun" -eq $((strangers / 20)) ] || failed "$begun handshakes were begun, not $((strangers / 20))"
[ "$unknown" -eq $((strangers + 1000)) ] || failed "$unknown strangers were counted, not $((strangers + 1000))"
start ASH

echo "# keys, replays, claims"
attack keys "invite=$dir/good.kith-invite" "expired=$dir/late.kith-invite" "used=$dir/BRA.kith-invite"
attack replay "invite=$dir/good.kith-invite"
attack claims "invite=$dir/good.kith-invite"
attack candidates "invite=$dir/once.kith-invite"

echo "# slow ones and floods, while a member syncs"
start BRA
until_true 60 connected ASH BRA || die "BRA does not reach ASH"
for stage in opening handshake; do
  begin_attack 50 loris "stage=$stage" "seconds=$slow_seconds" "invite=$dir/good.kith-invite"
  sync_time "slow_$stage"
  # And a member that has to come in anew, past them. ASH cannot dial it: it listens elsewhere.
  stop BRA
  from=$(milliseconds)
  kept=${port[BRA]} port[BRA]=$((first_port + 2))
  start BRA
  if until_true 30 connected ASH BRA; then
    printf '{"case":"new_connection_during_slow_%s","start_to_connected_ms":%d}\n' "$stage" $(($(milliseconds) - from))
  else
    failed "a member could not come in past slow connections ($stage)"
  fi
  stop BRA
  port[BRA]=$kept
  end_attack
  start BRA
  until_true 60 connected ASH BRA || die "BRA does not reach ASH"
done
begin_attack 50 flood sources=one places=64
sync_time flood
end_attack
stop ASH
start ASH --trust-loopback off
until_true 60 connected ASH BRA || die "BRA does not reach ASH"
for sources in one many; do
  places=$([ $sources = one ] && echo 8 || echo 64)
  begin_attack $((places - 2)) flood "sources=$sources" "places=$places"
  sync_time "flood_from_${sources}_with_limits_by_source"
  end_attack
done
stop ASH
start ASH
# It signs once BRA has answered.
until_true 60 signs ASH || die "ASH does not sign after its restart"
stop BRA

echo "# records"
attack door "author=$dir/ASH-ward.kith-key"
attack forge "author=$dir/BRA-ward.kith-key"
attack session "invite=$dir/good.kith-invite"
before=$(log_size ASH)
start BRA
until_true 60 shows ASH "Honest after the forgeries" || failed "judging stopped at a forgery"
# Keys that a member made up and granted are neither used nor passed on.
printf '# Still readable\n\ntext\n' >"$dir/readable.md"
as ASH ward publish --yes "$dir/readable.md" >/dev/null 2>&1
until_true 30 shows BRA "Still readable" || failed "a foreign grant made a member unreadable"
after=$(log_size ASH)
[ "$after" -eq $((before + 1)) ] || failed "a foreign grant was answered: the log went from $before to $after"
as ASH steward list --limit 1000 --json >"$dir/list"
[ "$(grep -c 'Honest before the forgeries' "$dir/list")" -eq 1 ] || failed "a replay is shown twice"
! grep -q Forged "$dir/list" || failed "a forged record is shown"
said=$(grep -c 'of BRA counts for nothing' "$dir/ASH.log") || true
status=0
as ASH steward audit BRA >"$dir/audit" 2>&1 || status=$?
printf '{"case":"forged_log_at_another_member","void_in_log_lines":%d,"audit_exit":%d}\n' "$said" "$status"
[ "$said" -eq 17 ] || failed "$said of 17 forgeries were named in the log"
[ "$status" -eq 3 ] || failed "the audit of a log with forgeries ended with $status"
stop BRA
attack seal "author=$dir/BRA-ward.kith-key" | tee "$dir/sealed"
start BRA
attack calm "size=$(grep -o '"size":[0-9]*' "$dir/sealed" | cut -d : -f 2)"
as ASH steward audit ASH >/dev/null || failed "the log of ASH is not intact"
stop BRA
# Last, as its invitations stay open; and anew, since what earlier attacks left free hides a growth.
stop ASH
start ASH
attack hold
stop ASH
for code in ASH BRA; do kithd --dir "$dir/$code" check >/dev/null || failed "kithd check at $code"; done

[ $failures -eq 0 ] || exit 1
echo "hostile: every attack was refused, people and members went on"
