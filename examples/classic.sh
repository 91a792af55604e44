#!/bin/sh
# The classic commands, one by one: a master, a computer, a release, and two instances of it.
#
#   examples/classic.sh [DIRECTORY]
#
# SLAPOS   the program to use           (default: target/release/slapos, else `slapos` in PATH)
# PROFILE  the software release         (default: examples/flask/software.cfg)
# PORT     the port of the master       (default: 8490)
# KEEP     set: leave everything running; DIRECTORY/environment.sh has the environment
#
# DIRECTORY (default: a new one in /tmp) holds everything, and is the only place that is written to. Started by root,
# the script makes the system user `slapos` if it is missing and continues as that user: nothing is built as root.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
port=${PORT:-8490}
profile=${PROFILE:-$here/examples/flask/software.cfg}
program=${SLAPOS:-$here/target/release/slapos}
[ -x "$program" ] || program=$(command -v slapos) || {
  echo "error: there is no slapos; build it with: cargo build --release, or say where it is: SLAPOS=…" >&2; exit 1; }
base=${1:-$(mktemp -d /tmp/slapos-classic-XXXXXX)}
mkdir -p "$base"; base=$(cd "$base" && pwd)

if [ "$(id -u)" = 0 ]; then
  id slapos >/dev/null 2>&1 || useradd --system --home-dir /var/lib/slapos --shell /usr/sbin/nologin slapos
  # What the user may not be able to reach, such as a clone under root's home, is copied.
  mkdir -p "$base/from"; cp "$program" "$base/from/slapos"; cp -r "$(dirname "$profile")" "$base/from/release"
  cp "$0" "$base/from/classic.sh"
  chown -R slapos: "$base"; chmod 755 "$base"
  exec runuser -u slapos -- env HOME="$base" SLAPOS="$base/from/slapos" PROFILE="$base/from/release/$(basename "$profile")" \
    PORT="$port" KEEP="${KEEP:-}" sh "$base/from/classic.sh" "$base"
fi

cd "$base"; umask 022
mkdir -p bin etc var/run var/log soft shared; install -d -m 750 inst
ln -sf "$program" bin/slapos
cat > etc/slapos.cfg <<C
[slapos]
software_root = $base/soft
instance_root = $base/inst
shared_part_list =
  $base/shared
master_url = http://127.0.0.1:$port
computer_id = classic
root_check = False
pidfile_software = $base/var/run/software.pid
pidfile_instance = $base/var/run/instance.pid
pidfile_report = $base/var/run/report.pid

[slapformat]
input_definition_file = $base/etc/definition.cfg
computer_xml = $base/etc/slapos.xml
partition_amount = 3
alter_user = false
alter_network = false
create_tap = false
create_tun = false

[slapproxy]
host = 127.0.0.1
port = $port
database_uri = $base/var/proxy.db
C
{
  printf '[computer]\naddress = 127.0.0.1/255.255.255.255\n'
  for i in 0 1 2; do
    printf '\n[partition_%d]\naddress = 127.0.0.1/255.255.255.255 ::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\n' $i
    printf 'pathname = slappart%d\nuser = %s\nnetwork_interface =\n' $i "$(id -un)"
  done
} > etc/definition.cfg
cat > environment.sh <<C
export SLAPOS_CONFIGURATION=$base/etc/slapos.cfg SLAPOS_CLIENT_CONFIGURATION=$base/etc/slapos.cfg PATH=$base/bin:/usr/bin:/bin
C
. ./environment.sh

stop() {
  slapos node supervisorctl shutdown >/dev/null 2>&1 || true
  [ ! -e var/run/proxy.pid ] || kill "$(cat var/run/proxy.pid)" 2>/dev/null || true
}
[ -n "${KEEP:-}" ] || trap stop EXIT

# Shows a command, runs it with its output in a log, and stops at the first that fails.
step() {
  printf '$ slapos %s\n' "$*"
  slapos "$@" > "var/log/step.log" 2>&1 || { code=$?; cat var/log/step.log >&2; echo "error: it ended with code $code" >&2; exit 1; }
}

# The first requests of an instance say "not yet" (code 2): the instance is made by the next pass of the node.
request() {
  printf '$ slapos request %s\n' "$*"
  code=0; slapos request "$@" > var/log/step.log 2>&1 || code=$?
  [ $code = 0 ] || [ $code = 2 ] || { cat var/log/step.log >&2; exit 1; }
}

# One pass over the partitions. A service that has just been started may not keep its promises yet: code 2, look again.
instance() {
  printf '$ slapos node instance\n'
  tries=0
  while code=0; slapos node instance > var/log/step.log 2>&1 || code=$?; [ $code = 2 ] && [ $tries -lt 60 ]; do
    tries=$((tries + 1)); sleep 0.5
  done
  [ $code = 0 ] || { cat var/log/step.log >&2; echo "error: it ended with code $code" >&2; exit 1; }
}

# Prints the address that an instance has published, once its passes have succeeded.
published() {
  slapos service info "$1" > var/log/info.log 2>&1 || { cat var/log/info.log >&2; exit 1; }
  sed -n 's/.*\(http:\/\/127\.0\.0\.1:[0-9]*\/\).*/\1/p' var/log/info.log | tail -n 1
}

# The page must hold the text; the promise has seen it already.
expect() {
  address=$(published "$1")
  [ -n "$address" ] || { echo "error: $1 has published no address" >&2; cat var/log/info.log >&2; exit 1; }
  curl -sf --noproxy '*' "$address" | grep -qF "$2" || { echo "error: $address does not say: $2" >&2; exit 1; }
  printf '  %s answers at %s: %s\n' "$1" "$address" "$2"
}

# What is installed, to compare: each file of the releases with its time.
installed() { find soft shared -type f -printf '%p %T@\n' | sort; }

echo '$ slapos proxy start &'
slapos proxy start > var/log/proxy.log 2>&1 &
echo $! > var/run/proxy.pid
tries=0
until curl -s --noproxy '*' -o /dev/null "http://127.0.0.1:$port/"; do
  tries=$((tries + 1)); [ $tries -lt 1200 ] || { cat var/log/proxy.log >&2; echo "error: the master does not answer" >&2; exit 1; }
  sleep 0.1
done

step node format --now
step supply "$profile" classic
step node software
request first "$profile" --parameters greeting="Hello from the first"
instance
expect first "Hello from the first"

installed > var/before
request second "$profile" --parameters greeting="Hello from the second"
step node software
instance
expect second "Hello from the second"
expect first "Hello from the first"
installed > var/after
cmp -s var/before var/after || { echo "error: the second instance installed something:" >&2; diff var/before var/after >&2; exit 1; }
echo '  the second instance installed nothing'
step service list
step node status
