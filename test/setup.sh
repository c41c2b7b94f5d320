#!/bin/sh
# Installs what only the deeper tests need: Django and Chromium, from Debian's packages.
# Without them those tests are skipped and say so.
set -eu

missing=''
/usr/bin/python3 -c 'import django' 2>/dev/null || missing="$missing python3-django"
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || missing="$missing chromium"
if [ -z "$missing" ]; then
  echo 'Django and Chromium are installed.'
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "Please install, by your system's own means:$missing" >&2
  exit 1
fi
sudo=''
[ "$(id -u)" -eq 0 ] || sudo=sudo
$sudo apt-get update -qq
# shellcheck disable=SC2086 # a list of packages
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing
