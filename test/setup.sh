#!/bin/sh
# Installs what only the deeper tests need, from Debian's packages: Django, Chromium, the web servers
# that the command `deployment` writes for, and OpenStack Swift, an object store with S3's API. Without
# them those tests are skipped and say so.
set -eu

missing=''
need() { [ -e "$1" ] || missing="$missing $2"; }
/usr/bin/python3 -c 'import django' 2>/dev/null || missing="$missing python3-django"
need "${CHROMIUM:-/usr/bin/chromium}" chromium
need /usr/sbin/nginx nginx-light
need /usr/lib/nginx/modules/ngx_http_brotli_static_module.so libnginx-mod-http-brotli-static
need /usr/bin/caddy caddy
need /usr/sbin/apache2 apache2
need /usr/bin/swift-proxy-server swift-proxy
need /usr/bin/swift-account-server swift-account
need /usr/bin/swift-container-server swift-container
need /usr/bin/swift-object-server swift-object
need /usr/bin/memcached memcached
if [ -z "$missing" ]; then
  echo 'Django, Chromium, nginx, Caddy, Apache and Swift are installed.'
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "Please install, by your system's own means:$missing" >&2
  exit 1
fi
sudo=''
[ "$(id -u)" -eq 0 ] || sudo=sudo
# Debian's packages start their servers, of which only one can have port 80; the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '$sudo rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
  $sudo chmod +x "$policy"
fi
$sudo apt-get update -qq
# shellcheck disable=SC2086 # a list of packages
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
