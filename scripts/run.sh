#!/bin/sh
# Runs scripts/NAME.ts under the pinned Node, after installing what package-lock.json names where that has not been done
# yet: so that a fresh clone needs nothing but a Node that can start npm.
set -eu
cd "$(dirname "$0")/.."
installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ package-lock.json -nt "$installed" ]; then
  echo "installing the npm packages that package-lock.json names ..."
  npm install --no-audit --no-fund --loglevel=error
  touch "$installed"
fi
name=$1
shift
exec node_modules/.bin/node "scripts/$name.ts" "$@"
