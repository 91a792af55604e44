#!/bin/bash
# A release from nothing to an answering service: format, supply, software, request, instance, published parameters.
#   run_peer.sh PEER_DIR BASE_DIR
# MASTER_URL=…   a master that already runs there, instead of the proxy of the `slapos` that is used
# MASTER=DIR     start the proxy of the `slapos` in DIR
# NODE=DIR       use the `slapos` in DIR for everything but the proxy
#                (neither: all of it is the peer; NODE alone: our node against the peer's proxy)
# PORT, SERVICE_PORT, PARTITIONS   numbers to use
# KEEP=1         leave everything running; BASE_DIR/env.sh has the environment, BASE_DIR/var/run the process ids
# The peer refuses partitions owned by root: as root it runs itself again as the user "slappeer", which it makes.
# Prints a line for each lap, in seconds since the start; the proxy's start is not counted.
set -eu
peer=$(cd "$1" && pwd -P); mkdir -p "$2"; base=$(cd "$2" && pwd); script=$(readlink -f "$0")
port=${PORT:-15100} service=${SERVICE_PORT:-15180} n=${PARTITIONS:-10}
if [ "$(id -u)" = 0 ]; then
  id slappeer >/dev/null 2>&1 || useradd --system --create-home --home-dir /var/lib/slappeer --shell /bin/bash slappeer
  cp "$script" "$base/run_peer.sh"; chown slappeer "$base" "$base/run_peer.sh"
  exec runuser -u slappeer -- env PORT=$port SERVICE_PORT=$service PARTITIONS=$n KEEP="${KEEP:-}" MASTER_URL="${MASTER_URL:-}" \
    MASTER="${MASTER:-}" NODE="${NODE:-}" bash "$base/run_peer.sh" "$peer" "$base"
fi
cd "$base"; umask 022; mkdir -p etc var/run var/log soft shared; install -d -m 750 inst
master=${MASTER_URL:-http://127.0.0.1:$port}
cat > etc/slapos.cfg <<C
[slapos]
software_root = $base/soft
instance_root = $base/inst
shared_part_list =
  $base/shared
master_url = $master
master_rest_url = $master/hateoas
computer_id = local
root_check = False
pidfile_software = $base/var/run/software.pid
pidfile_instance = $base/var/run/instance.pid
pidfile_report = $base/var/run/report.pid
[slapformat]
input_definition_file = $base/etc/definition.cfg
partition_amount = $n
alter_user = false
alter_network = false
create_tap = false
create_tun = false
computer_xml = $base/etc/slapos.xml
[slapproxy]
host = 127.0.0.1
port = $port
database_uri = $base/var/proxy.db
[slapconsole]
C
{ printf '[computer]\naddress = 127.0.0.1/255.255.255.255\n\n'
  for i in $(seq 0 $((n - 1))); do
    printf '[partition_%d]\naddress = 127.0.0.1/255.255.255.255 ::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\npathname = slappart%d\nuser = %s\nnetwork_interface =\n\n' $i $i "$(id -un)"
  done; } > etc/definition.cfg
cat > env.sh <<C
export SLAPOS_CONFIGURATION=$base/etc/slapos.cfg SLAPOS_CLIENT_CONFIGURATION=$base/etc/slapos.cfg
export PATH=${NODE:+$NODE:}$peer/venv/bin:/usr/bin:/bin LC_ALL=C.UTF-8 HOME=$base PYTHONWARNINGS=ignore
C
. ./env.sh
trap '[ -n "${KEEP:-}" ] || { slapos node supervisorctl shutdown >/dev/null 2>&1; [ ! -e var/run/proxy.pid ] || kill "$(cat var/run/proxy.pid)"; }' EXIT
if [ -z "${MASTER_URL:-}" ]; then
  "${MASTER:-$peer/venv/bin}/slapos" proxy start > var/log/proxy.log 2>&1 & echo $! > var/run/proxy.pid
  for _ in $(seq 1200); do curl -s --noproxy '*' -o /dev/null "$master/" && break; sleep .1; done
fi
start=$(date +%s%N); lap() { echo "$(( ($(date +%s%N) - start) / 1000000 )) ms $*"; }
step() { "$@" > "var/log/$name.log" 2>&1 || { echo "FAILED: $*"; tail -15 "var/log/$name.log"; exit 1; }; }
release=$peer/release/software.cfg
name=format; step slapos node format --now; lap "formatted $n partitions"
name=supply; step slapos supply "$release" local; lap "supplied"
name=software; step slapos node software; lap "software installed"
ask() { slapos request demo "$release" --parameters greeting=bonjour port=$service; }
ask > var/log/request.log 2>&1 || true; lap "requested"
# The service starts during the first pass, so its promise may fail in it: that is code 2.
passed=
for i in $(seq 60); do
  code=0; slapos node instance > var/log/instance$i.log 2>&1 || code=$?
  [ $code = 0 ] && { passed=$i; break; }
  [ $code = 2 ] || [ $i -lt 3 ] || break
  sleep .1
done
[ -n "$passed" ] || { echo "FAILED: node instance"; tail -15 "var/log/instance$i.log"; exit 1; }
lap "instance pass $passed succeeded"
ask > var/log/answer.log 2>&1 || true
grep -q "http://127.0.0.1:$service/" var/log/answer.log || { echo "FAILED: url not published"; cat var/log/answer.log; exit 1; }
curl -sf --noproxy '*' "http://127.0.0.1:$service/" | grep -q bonjour || { echo "FAILED: service"; exit 1; }
lap "answering"
