#!/usr/bin/env bash
# A disk that is full and one that turns read-only, under real daemons: publishing is refused with
# words that help, reading and the other members go on, nothing acknowledged is lost, and once the
# disk takes writes again so does the daemon.
# usage: disk.sh FOLDER_WITH_PROGRAMS. Exits 77 and says why where something cannot be shown: without
# mounts nothing of it, without loop devices and strace not what a read-only disk does. It does not need
# root where a user may have a namespace of mounts. KITH_DISK_NO_LOOP=1 acts as if there were no loop
# devices.
set -euo pipefail
programs=$(cd "${1:?name the folder that holds kithd and kith}" && pwd)
if [ -z "${KITH_DISK_INSIDE:-}" ]; then
  # What is mounted goes with the namespace, whatever happens.
  for namespace in "--mount" "--map-root-user --mount"; do
    unshare $namespace true 2>/dev/null && KITH_DISK_INSIDE=1 exec unshare $namespace "$0" "$@"
  done
  echo "DISK TESTS SKIPPED: this machine lets nobody mount here"
  exit 77
fi
PATH=$programs:$PATH
dir=$(mktemp -d)
declare -A pid=() port=()
# An address of this machine that no other run uses: made from the process number.
host=127.$((64 | $$ >> 16 & 63)).$(($$ >> 8 & 255)).$(($$ & 255))
finish() {
  local code
  for code in "${!pid[@]}"; do kill "${pid[$code]}" 2>/dev/null || true; done
  wait 2>/dev/null || true
  umount -q "$dir/small" "$dir/ext4" 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT
failures=0
failed() { echo "disk: $*"; failures=$((failures + 1)); }
die() { echo "disk: $*"; tail -n 5 "$dir"/*.log 2>/dev/null || true; exit 1; }
until_true() { # seconds, command…
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
}
# refused EXIT_CODE WORDS COMMAND…: it must end with that code and say those words.
refused() {
  local code=$1 words=$2 said status=0
  shift 2
  said=$("$@" 2>&1 </dev/null) || status=$?
  [ "$status" -eq "$code" ] && grep -qi -- "$words" <<<"$said" ||
    failed "$*"$'\n'"  exit $status (expected $code), said: $said"$'\n'"  expected to read: $words"
}
home_of() { case $1 in ASH) echo "$dir/small/ASH" ;; CAL) echo "$dir/ext4/CAL" ;; *) echo "$dir/$1" ;; esac; }
as() { # member, arguments of kith
  KITH_SOCKET=$(home_of "$1")/kithd.sock KITH_KEY=$dir/$1.kith-key XDG_STATE_HOME=$dir/state \
    kith "${@:2}"
}
start() {
  kithd --dir "$(home_of "$1")" run --listen "$host:${port[$1]}" >>"$dir/$1.log" 2>&1 &
  pid[$1]=$!
  until_true 60 as "$1" status || die "the daemon of $1 did not start"
}
stop() {
  kill "${pid[$1]}"
  wait "${pid[$1]}" || failed "the daemon of $1 did not end well"
  unset "pid[$1]"
}
init() { # member, how…
  port[$1]=$((7447 + ${#port[@]}))
  KITH_KEY=$dir/$1.kith-key kith init >/dev/null 2>&1
  kithd --dir "$(home_of "$1")" init "${@:2}" --code "$1" --member-name "$1 Hospitals" --role trust \
    --steward "$dir/$1.kith-key" --address "$host:${port[$1]}" --words-file "$dir/$1-words" \
    >/dev/null
}
state_is() { as "$1" status --json | grep -q "\"state\": *\"$2\""; }
shows() { as "$1" list --limit 1000 --json | grep -q -- "$2"; }
note() { # title, kilobytes
  { printf '# %s\n\n' "$1"; head -c "${2:-1}000" /dev/zero | tr '\0' x; echo; } >"$dir/note.md"
}
published=()
publish() { # member, title, kilobytes: it must work
  note "$2" "${3:-1}"
  as "$1" publish --yes "$dir/note.md" >/dev/null 2>"$dir/said" || { failed "$1 could not publish $2: $(cat "$dir/said")"; return; }
  published+=("$2")
  # Views follow the log, and do not once the disk is full.
  until_true 30 shows "$1" "\"$2\"" || failed "$1 does not show $2, which it published"
}
nothing_lost() { # member: its views may still be on the way to what its log holds
  local title
  for title in "${published[@]}"; do
    until_true 30 shows "$1" "\"$title\"" || failed "$title was acknowledged and is not at $1"
  done
}
join() { # newcomer: invited and admitted by ASH (and by whoever is there already)
  as ASH invite --out "$dir/$1.kith-invite" >/dev/null
  init "$1" --join "$dir/$1.kith-invite"
  start "$1"
  has_candidate() { as ASH proposals --json | grep -q "\"$1\""; }
  until_true 30 has_candidate "$1" || die "$1 did not come"
  as ASH consent --yes "$1" >/dev/null 2>&1
  local id
  if [ -n "${pid[BRA]:-}" ] && [ "$1" != BRA ]; then
    open() { as BRA proposals --json | tr ',{}[]' '\n' | sed -n 's/^ *"id": *"\([a-z2-7]*\)".*/\1/p' | head -n 1 | grep .; }
    until_true 30 open || true
    id=$(open) && as BRA consent --yes "$id" >/dev/null 2>&1 || true
  fi
  until_true 30 state_is "$1" member || die "$1 was not admitted"
}

# ASH lives on a small file system in memory, CAL on one that turns read-only, BRA anywhere.
mkdir "$dir/small" "$dir/ext4"
mount -t tmpfs -o size=6m tmpfs "$dir/small"
init ASH --found --name "Five Rivers" --aim "To learn."
start ASH
until_true 20 state_is ASH member || die "the founder is no member"
join BRA
publish ASH "Before the disk was full"

# ---- full ---------------------------------------------------------------------------------------
fill() { head -c 100M /dev/zero >"$dir/small/ballast" 2>/dev/null || true; }
fill
note "On a full disk" 900
refused 1 "disk is full.*[Ff]ree space" as ASH publish --yes "$dir/note.md"
refused 1 "nothing of this was kept" as ASH publish --yes "$dir/note.md"
as ASH list --json | grep -q "Before the disk was full" || failed "a full disk stopped reading"
as ASH show "$(as ASH list --json | grep -o '"id": *"[a-z2-7]*"' | head -n 1 | grep -o '[a-z2-7]\{20,\}')" >/dev/null ||
  failed "a full disk stopped show"
as ASH audit >/dev/null || failed "a full disk stopped the audit"
publish BRA "From a member with room"
grep -q "the disk is full: publishing is refused, reading goes on; free space on $dir/small/ASH" "$dir/ASH.log" ||
  failed "the log of the daemon does not say what to do"
alive() { # member, when
  kill -0 "${pid[$1]}" 2>/dev/null && return
  local status=0
  wait "${pid[$1]}" || status=$?
  die "the daemon of $1 ended with $status $2"
}
alive ASH "on a full disk"
rm "$dir/small/ballast"
alive ASH "when there was room again"
publish ASH "After there was room"
alive ASH "after publishing again"
until_true 30 shows ASH "From a member with room" || failed "what came meanwhile is missing after there was room"
until_true 30 shows BRA "After there was room" || failed "the others do not get what comes after"
! shows ASH "On a full disk" || failed "what was refused is there all the same"
until_true 10 grep -q "the disk can be written again" "$dir/ASH.log" || failed "no log line tells that there is room"

# A daemon that starts on a full disk serves, or says what is wrong; and is as before afterwards.
stop ASH
fill
kithd --dir "$dir/small/ASH" run --listen "$host:${port[ASH]}" >"$dir/ASH-full.log" 2>&1 &
pid[ASH]=$!
up_or_gone() { as ASH status || ! kill -0 "${pid[ASH]}"; }
until_true 20 up_or_gone || die "the daemon hangs on a full disk"
if as ASH status >/dev/null 2>&1; then
  echo "disk: a start on a full disk serves"
  shows ASH "After there was room" || failed "a start on a full disk shows nothing"
  stop ASH
else
  echo "disk: a start on a full disk says: $(tail -n 1 "$dir/ASH-full.log")"
  grep -qi "full\|no space" "$dir/ASH-full.log" || failed "a start on a full disk does not say why"
  grep -qi "free space" "$dir/ASH-full.log" || failed "a start on a full disk does not say what to do"
  unset "pid[ASH]"
fi
KITH_KEY=$dir/full.kith-key kith init >/dev/null 2>&1
refused 1 "no space.*free space" kithd --dir "$dir/small/NEW" init --found --name N --aim A --code NEW \
  --member-name New --role trust --steward "$dir/full.kith-key" --words-file "$dir/full-words"
rm "$dir/small/ballast"
rm -rf "$dir/small/NEW" "$dir/full-words"
start ASH
nothing_lost ASH
as ASH audit >/dev/null || failed "the logs at ASH are not intact after a full disk"

# ---- read-only ----------------------------------------------------------------------------------
# An ext4 in a file does what a kernel does when it meets a fault of the disk: from then on it writes
# nothing. Without loop devices every write of the running daemon is answered as that kernel would, since
# no mount turns read-only under open files; what starts later meets a mount that is read-only.
way=none
if [ -z "${KITH_DISK_NO_LOOP:-}" ] && truncate -s 48M "$dir/image" &&
  mkfs.ext4 -q "$dir/image" 2>/dev/null && mount -o loop,errors=remount-ro "$dir/image" "$dir/ext4" 2>/dev/null; then
  way=loop
elif mount -t tmpfs -o size=48m tmpfs "$dir/ext4" && strace -o /dev/null true 2>/dev/null; then
  way=strace
fi
writes=pwrite64,pwritev,fsync,fdatasync,ftruncate,?rename,?renameat,renameat2,?unlink,unlinkat
turn_read_only() {
  if [ $way = loop ]; then
    mount -o remount,abort "$dir/ext4" 2>/dev/null || true
    return
  fi
  strace -f -p "${pid[CAL]}" -o /dev/null -e trace=$writes -e inject=$writes:error=EROFS 2>"$dir/strace" &
  until_true 10 grep -q attached "$dir/strace" || die "strace does not reach the daemon: $(cat "$dir/strace")"
}
stay_read_only() { [ $way = loop ] || mount -o remount,bind,ro "$dir/ext4"; }
mend() {
  if [ $way = loop ]; then
    umount "$dir/ext4"
    e2fsck -fy "$dir/image" >/dev/null 2>&1 || true
    mount -o loop "$dir/image" "$dir/ext4"
  else
    mount -o remount,bind,rw "$dir/ext4"
  fi
}
if [ $way != none ]; then
  join CAL
  publish CAL "Before the disk was read-only"
  until_true 30 shows BRA "Before the disk was read-only" || failed "BRA did not get it"
  turn_read_only
  note "On a read-only disk"
  refused 1 "disk is read-only.*writable" as CAL publish --yes "$dir/note.md"
  refused 1 "nothing of this was kept" as CAL publish --yes "$dir/note.md"
  alive CAL "on a read-only disk"
  as CAL list --json | grep -q "Before the disk was read-only" || failed "a read-only disk stopped reading"
  as CAL audit >/dev/null || failed "a read-only disk stopped the audit"
  as CAL peers >/dev/null || failed "a read-only disk stopped peers"
  publish BRA "While one disk is read-only"
  until_true 30 shows ASH "While one disk is read-only" || failed "the others wait for the one with the read-only disk"
  grep -q "the disk is read-only: publishing is refused, reading goes on; make the file system writable" "$dir/CAL.log" ||
    failed "the log of the daemon does not say what to do"
  # It ends when it is asked to, and refuses to start until the disk is mended.
  kill "${pid[CAL]}"
  wait "${pid[CAL]}" || true
  unset "pid[CAL]"
  stay_read_only
  refused 1 "read-only.*writable" kithd --dir "$dir/ext4/CAL" run --no-listen
  refused 1 "read-only.*writable" kithd --dir "$dir/ext4/CAL" check
  mend
  start CAL
  publish CAL "After the disk was mended"
  until_true 30 shows CAL "While one disk is read-only" || failed "what came meanwhile is missing after the disk was mended"
  until_true 30 shows BRA "After the disk was mended" || failed "the others do not get what comes after"
  nothing_lost CAL
  ! shows CAL "On a read-only disk" || failed "what was refused is there all the same"
  stop CAL
  kithd --dir "$dir/ext4/CAL" check >/dev/null || failed "check at CAL found damage"
  umount "$dir/ext4"
fi
for code in ASH BRA; do
  nothing_lost "$code"
  stop "$code"
  kithd --dir "$(home_of "$code")" check >/dev/null || failed "check at $code found damage"
done
[ $failures -eq 0 ] || { tail -n 8 "$dir"/*.log; exit 1; }
all_there="${#published[@]} acknowledged entries are all there"
if [ $way = none ]; then
  echo "disk: a full disk was refused in clear words, $all_there"
  echo "READ-ONLY TESTS SKIPPED: no ext4 in a file can be mounted here, and strace may not run"
  exit 77
fi
echo "disk: a full and a read-only disk ($way) were refused in clear words, $all_there"
