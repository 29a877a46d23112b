#!/bin/sh
# Unpacks the program of an offline bundle on a machine without Node, npm and network:
#   tar -xf nectar-byon.bundle && sh install.sh [FOLDER]
# Run it in the folder with the bundle's files. FOLDER (default: /opt/nectar) must not hold a program yet.
set -eu

fail() {
  echo "install.sh: $1" >&2
  exit "$2"
}

folder=${1:-/opt/nectar}
case $folder in
  -*) fail "usage: sh install.sh [FOLDER]" 2 ;;
esac
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

case $(uname -m) in
  x86_64) machine=amd64 ;;
  aarch64 | arm64) machine=arm64 ;;
  *) machine=$(uname -m) ;;
esac
set -- "$here"/nectar-byon-*-linux-"$machine".tar.gz
[ -f "$1" ] || fail "there is no program for this machine ($machine) beside $0" 3
[ -f "$here/SHA256SUMS" ] || fail "SHA256SUMS is not beside $0: unpack the whole bundle" 3
[ ! -e "$folder/nectar-byon" ] || fail "$folder/nectar-byon is there already: name another folder" 2

# Against a damaged copy. A forged one brings its own installer: verify the signature of the bundle before this (docs/runbook.md).
name=$(basename "$1")
sums=$(grep "^[0-9a-f]\{64\}  $name\$" "$here/SHA256SUMS") || fail "SHA256SUMS does not name $name" 3
(cd "$here" && echo "$sums" | sha256sum -c - >/dev/null 2>&1) || fail "$name was altered: copy the bundle again" 3

mkdir -p "$folder"
partial=$folder/.nectar-byon.$$
trap 'rm -rf "$partial"' EXIT
trap 'exit 130' INT HUP TERM
mkdir "$partial"
tar -xzf "$1" -C "$partial" --no-same-owner
"$partial/nectar-byon/nectar-byon" --version >/dev/null || fail "the program does not start here" 3
mv "$partial/nectar-byon" "$folder/nectar-byon"

echo "program: $folder/nectar-byon/nectar-byon"
echo "in everybody's path:  ln -s $folder/nectar-byon/nectar-byon /usr/local/bin/nectar-byon"
