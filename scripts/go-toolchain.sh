#!/usr/bin/env bash
# Prints the folder of a Go that compiles the programs of the tests: the machine's own where it is new enough, else the one that is pinned here, as the Go
# module proxy serves it. Debian's Go knows nothing of toolchains, and takes this one for a module like any other.
set -euo pipefail
least=go1.26 version=go1.26.8
sum=h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=
own=$(cd / && GOTOOLCHAIN=local go env GOVERSION)
if [ "$(printf '%s\n' "$least" "$own" | sort -V | head -n 1)" = "$least" ]; then
  dirname "$(command -v go)"
  exit
fi
cache=${NECTAR_GO_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nectar-go}
if [ ! -x "$cache/$version/bin/go" ]; then
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/making.XXXXXX")
  trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
  # The sum is checked here: no other list is asked for it.
  (cd "$work" && GOFLAGS='' GO111MODULE=on GONOSUMDB=golang.org/toolchain go mod download -json "golang.org/toolchain@v0.0.1-$version.linux-amd64") >"$work/said.json"
  grep -qF "\"Sum\": \"$sum\"" "$work/said.json" || { echo "the Go that was served is another one:" >&2; cat "$work/said.json" >&2; exit 1; }
  from=$(sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p' "$work/said.json")
  cp -r "$from" "$work/go"
  chmod -R u+w "$work/go"
  # A module has no programs and no second go.mod: both are as `go` itself would restore them.
  chmod +x "$work"/go/bin/* "$work"/go/pkg/tool/*/*
  find "$work/go" -name _go.mod | while read -r file; do mv "$file" "${file%_go.mod}go.mod"; done
  mv -T "$work/go" "$cache/$version"
fi
echo "$cache/$version/bin"
