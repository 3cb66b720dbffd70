#!/usr/bin/env bash
# A newcomer's first hour on a bare Debian 12: a minimal root is made with debootstrap, given git and
# ca-certificates and nothing else, and a clone of HEAD must then do what README.md promises:
# scripts/demo --check and scripts/test as root, and scripts/demo --check as a user with sudo.
# usage: bare_root.sh [demo|test|user]...   (all three without arguments)
# Needs root, debootstrap and namespaces; exits 77 and says why without them. The mirror and the
# proxy are those of this machine's apt. KITH_BARE names the folder (default /var/tmp/kith-bare).
# KITH_KEEP=1 leaves the root there, and goes on in one that was left. KITH_CCACHE names a ccache folder
# to take objects from, for a machine that has other things to do; without it everything is compiled.
set -euo pipefail
cd "$(dirname "$0")/../.."
bare=${KITH_BARE:-/var/tmp/kith-bare}
root=$bare/root
parts=("$@")
[ $# -gt 0 ] || parts=(demo test user)

skip() { echo "BARE ROOT SKIPPED: $*"; exit 77; }
[ "$(id -u)" -eq 0 ] || skip "making a root needs root"
command -v debootstrap >/dev/null || skip "debootstrap is not installed (apt-get install debootstrap)"
unshare --mount --pid --fork true 2>/dev/null || skip "this machine allows no mount and process namespaces"
[ -z "$(git status --porcelain --untracked-files=no)" ] ||
  echo "bare_root: there are changes that are not committed; the clone is of HEAD and lacks them"

# The first Debian mirror of apt's configuration, in either of its two forms.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources \
  2>/dev/null | sed -nE 's/^deb +(\[[^]]*\] +)?([^ ]+) +bookworm .*/\2/p; s/^URIs: *([^ ]+).*/\1/p' |
  grep -E '/debian/?$' | head -n 1) || true
[ -n "$mirror" ] || skip "apt's configuration names no mirror of Debian"

# From here on what is mounted and started ends with this script, whatever happens.
if [ -z "${KITH_BARE_INSIDE:-}" ]; then
  export KITH_BARE_INSIDE=1
  exec unshare --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi
case "$bare" in
  /*/*) [ -n "${KITH_KEEP:-}" ] && [ -e "$bare/made" ] || rm -rf --one-file-system "$bare" ;;
  *) echo "bare_root: KITH_BARE must be an absolute folder below another" >&2; exit 2 ;;
esac
mkdir -p "$root"
finish() {
  [ -n "${KITH_KEEP:-}" ] && return
  # A folder that is bound into the root must not be removed with it.
  ! mountpoint -q "$root/kith-ccache" || umount "$root/kith-ccache" || return
  rm -rf --one-file-system "$bare"
}
trap finish EXIT

step() { # name, command…
  local name=$1 from=$SECONDS
  shift
  printf '== bare root: %s\n' "$name"
  "$@" || { echo "bare_root: $name failed"; exit 1; }
  printf '== bare root: %s: %d s\n' "$name" $((SECONDS - from))
}

bootstrap() {
  [ -e "$bare/made" ] && { echo "bare_root: going on in $root"; return; }
  debootstrap --variant=minbase bookworm "$root" "$mirror" >"$bare/debootstrap.log" 2>&1 ||
    { tail -n 20 "$bare/debootstrap.log"; return 1; }
  # How this machine reaches the mirror: for this run only.
  apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' >"$root/etc/apt/apt.conf.d/90machine" || true
  local part
  for part in "" -updates; do echo "deb $mirror bookworm$part main"; done >"$root/etc/apt/sources.list"
  echo "deb ${mirror%/}-security bookworm-security main" >>"$root/etc/apt/sources.list"
  cat /etc/resolv.conf >"$root/etc/resolv.conf"
  cat /etc/hosts >"$root/etc/hosts"
  touch "$bare/made"
}

mount_inside() {
  # A minimal root's /dev holds what matters; shared memory and terminals need their file systems.
  mount -t proc proc "$root/proc"
  mkdir -p "$root/dev/shm" "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  [ -z "${KITH_CCACHE:-}" ] || { mkdir -p "$root/kith-ccache" && mount --bind "$KITH_CCACHE" "$root/kith-ccache"; }
}

# inside USER COMMAND: with the few settings that a login gives, and nothing of this machine's.
inside() {
  local user=$1 home=/root cache=()
  shift
  [ "$user" = root ] || home=/home/$user
  # The folder belongs to root; a user compiles everything.
  [ -z "${KITH_CCACHE:-}" ] || [ "$user" != root ] ||
    cache=(CCACHE_DIR=/kith-ccache CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$home/kith)
  chroot --userspec="$user:$user" "$root" /usr/bin/env -i \
    HOME=$home USER="$user" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    "${cache[@]}" \
    ${KITH_JOBS:+KITH_JOBS="$KITH_JOBS"} ${KITH_SEEDS:+KITH_SEEDS="$KITH_SEEDS"} \
    /bin/bash -c "cd $home && $*" </dev/null
}

fetch_git() {
  inside root "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends git ca-certificates >/dev/null"
  git bundle create -q "$root/kith.bundle" HEAD
  chmod 644 "$root/kith.bundle"
  inside root "rm -rf kith && git clone -q /kith.bundle kith"
}

add_user() {
  inside root "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends sudo >/dev/null &&
    { id newcomer >/dev/null 2>&1 || useradd -m -s /bin/bash newcomer; } && echo 'newcomer ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/newcomer"
  inside newcomer "rm -rf kith && git clone -q /kith.bundle kith"
}

step "debootstrap from $mirror" bootstrap
mount_inside
step "git, ca-certificates and a clone" fetch_git
for part in "${parts[@]}"; do
  case "$part" in
    demo) step "scripts/demo --check as root" inside root "cd kith && scripts/demo --check" ;;
    test) step "scripts/test as root" inside root "cd kith && scripts/test" ;;
    user)
      step "a user with sudo" add_user
      # Without the packages that root's part installed, it is sudo that installs them.
      inside root "DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq capnproto libcli11-dev >/dev/null 2>&1"
      step "scripts/demo --check as a user with sudo" inside newcomer "cd kith && scripts/demo --check"
      ;;
    *) echo "bare_root: what is $part? demo, test or user" >&2; exit 2 ;;
  esac
done
echo "bare_root: a bare Debian 12 did: ${parts[*]}"
