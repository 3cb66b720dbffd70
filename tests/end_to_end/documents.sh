#!/usr/bin/env bash
# Real documents through real daemons: every Markdown file of nhsr-blog and rap-cop is published by
# one of seven members in turn, and every other member must show exactly the same bytes.
# usage: documents.sh FOLDER_WITH_PROGRAMS. Needs KITH_SHARED; exits 77 without it.
set -euo pipefail
cd "$(dirname "$0")/../.."
programs=${1:?name the folder that holds kithd and kith}
if [ -z "${KITH_SHARED:-}" ]; then
  echo "OUTSIDE VECTORS NOT FOUND: set KITH_SHARED to the folder that holds them"
  exit 77
fi

dir=$(mktemp -d)
scripts/demo --dir "$dir/net" --build "$programs" >"$dir/demo.log" 2>&1 &
demo=$!
trap 'kill $demo 2>/dev/null || true; wait $demo 2>/dev/null || true; rm -rf "$dir"' EXIT
PATH=$(cd "$programs" && pwd):$PATH

until_true() { # seconds, command…
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}
is_over() { grep -qE '^Running until|^demo: ' "$dir/demo.log"; }
until_true 150 is_over && grep -q '^Running until' "$dir/demo.log" ||
  { cat "$dir/demo.log"; echo "documents: the network did not come up"; exit 1; }

as() { # member, arguments of kith
  KITH_SOCKET=$dir/net/$1/kithd.sock KITH_KEY=$dir/net/people/$1-ward.kith-key \
    XDG_STATE_HOME=$dir/state kith "${@:2}"
}

codes=(ZZA ZZB ZZC ZZD ZZE ZZI ZZM)
count=0
: >"$dir/published"
for file in "$KITH_SHARED"/data/nhsr-blog/*.md "$KITH_SHARED"/data/rap-cop/*.md; do
  [ "$(basename "$file")" = README.md ] && continue
  code=${codes[$((count % 7))]}
  id=$(as "$code" publish --yes --json "$file" | tr ',{}[]' '\n' |
    sed -n 's/^ *"id": *"\([a-z2-7]*\)".*/\1/p' | head -n 1)
  printf '%s %s\n' "$id" "$file" >>"$dir/published"
  count=$((count + 1))
done
[ $count -eq 45 ] || { echo "documents: $count files were found, not 45"; exit 1; }

checked=0
while read -r id file; do
  wanted=$(sha256sum <"$file")
  for code in "${codes[@]}"; do
    until_true 30 as "$code" show "$id" --raw ||
      { echo "documents: $(basename "$file") did not reach $code"; exit 1; }
    [ "$(as "$code" show "$id" --raw | sha256sum)" = "$wanted" ] ||
      { echo "documents: $(basename "$file") differs at $code"; exit 1; }
    checked=$((checked + 1))
  done
done <"$dir/published"
echo "documents: $count files, the same bytes at all seven members ($checked comparisons)"
