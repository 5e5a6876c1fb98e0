#!/usr/bin/env bash
# Lints the contracts and holds them against the last release: what a client was built with must go on working.
#
# The base is the newest v* tag that is an ancestor of this commit; BASE=<ref> names another one, for example
# BASE=origin/main on a branch. Before the first release there is no promise to break and only the lint runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PWD/.tools/bin:$PATH

buf lint proto

base=${BASE:-$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null || true)}
if [[ -z $base ]]; then
  echo "contracts: clean; no release yet to compare with" >&2
  exit 0
fi

# For a branch that is behind, what the other side added since is not something this side has removed.
commit=$(git merge-base "$base" HEAD)
old=$(mktemp -d)
trap 'rm -rf "$old"' EXIT
git archive "$commit" proto | tar -x -C "$old"
# An old tree may predate this file; both sides are read by today's rules.
cp proto/buf.yaml "$old/proto/buf.yaml"
buf breaking proto --against "$old/proto"
echo "contracts: clean, and compatible with $base" >&2
