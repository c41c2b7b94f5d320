#!/bin/sh
# Runs the built package on the other supported versions of Node, from the npm registry.
set -eu
cd "$(dirname "$0")/.."
for version in 20.19 22 24; do
  printf 'node@%s: ' "$version"
  npx --yes --package "node@$version" -- node test/smoke.mjs
done
