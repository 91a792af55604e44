#!/bin/bash
# Installs the Python SlapOS (the peer) in a virtual environment, to interoperate with and to measure against.
#   setup_peer.sh DIR          the environment is DIR/venv, the wheels DIR/wheels, the release DIR/release
# Needs Debian's python3, python3-venv, python3-dev, gcc. Takes about a minute; does nothing when all is there.
# PEER_PYTHON chooses another interpreter. The package index is pip's own default or configuration.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:?usage: setup_peer.sh DIR}; mkdir -p "$(dirname "$dir")"
# As root the peer runs as a user of its own, who must reach it: from a clone in root's home it is a link to a public place.
if [ "$(id -u)" = 0 ] && ! runuser -u nobody -- test -x "$(dirname "$dir")"; then
  mkdir -p /var/tmp/slapos-peer; [ -d "$dir" ] || ln -sn /var/tmp/slapos-peer "$dir"
fi
mkdir -p "$dir"; dir=$(cd "$dir" && pwd -P)
python=${PEER_PYTHON:-/usr/bin/python3}
venv=$dir/venv wheels=$dir/wheels
# What is there was made from this very text; another text makes it anew.
stamp=$(cat "$here"/setup_peer.sh "$here"/release/* "$here"/parameters_recipe/*.py | sha256sum)
[ "$(cat "$dir/ready" 2>/dev/null)" = "$stamp" ] && { echo "the Python peer is there: $venv"; exit 0; }
rm -rf "$venv" "$wheels" "$dir/release" "$dir/parameters_recipe" "$dir/ready"
"$python" -m venv "$venv"
pip() { "$venv/bin/pip" "$@" -q --disable-pip-version-check; }
# setuptools below 82 still ships pkg_resources; 75.8.0 cannot see slapos.core, 75.8.2 can.
pip install 'setuptools==75.8.2' 'wheel==0.45.1' 'pip==25.0'
# slapos.libnetworkcache is imported by slapgrid but not declared by slapos.core.
pip install zc.buildout==3.3 slapos.core==1.24.1 slapos.libnetworkcache==0.30 \
  Flask==3.1.3 Werkzeug==3.1.9 lxml==6.1.3 supervisor==4.3.0 cliff==4.17.0 psutil requests
# Offline, upstream buildout sees only eggs that came from wheels; these are published as sources only. The release uses
# this folder as its only index: a name that is not in the real index makes the peer fetch the list of all packages.
mkdir -p "$wheels"
for requirement in slapos.cookbook==1.0.514 slapos.recipe.template==5.1 zc.recipe.egg==2.0.7 lock_file==2.0 \
    libpass==1.9.4 pytz==2026.6 inotify_simple==2.0.1 dnspython==2.9.2 slapos.recipe.cmmi==0.23 \
    slapos.recipe.build==0.66; do
  pip wheel --no-deps --no-build-isolation -w "$wheels" "$requirement"
done
cp -r "$here/parameters_recipe" "$dir/parameters_recipe"
pip wheel --no-deps --no-build-isolation --no-index -w "$wheels" "$dir/parameters_recipe"
mkdir -p "$dir/release"
for file in software.cfg instance.cfg.in; do sed "s#@DIR@#$dir#g" "$here/release/$file" > "$dir/release/$file"; done
chmod -R a+rX "$dir"
# The peer's command line hides what it cannot import: check each command that matters.
for command in "node instance" "node software" "node format" "node report" "node promise" "proxy start" "proxy show" \
    request supply remove "service list"; do
  "$venv/bin/slapos" help $command 2>&1 | grep -q "usage: slapos $command" || { echo "error: the peer has no: slapos $command"; exit 1; }
done
echo "$stamp" > "$dir/ready"
"$venv/bin/python" -W ignore -c 'import slapos.grid.slapgrid, slapos.version as v, sys; print("the Python peer is ready: slapos.core", v.version, "python", sys.version.split()[0])'
