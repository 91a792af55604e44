#!/bin/bash
# A virtual environment in which zc.buildout's own doctests run (see doctests.py).
#   setup_doctests.sh DIR        the environment is DIR/venv. BUILDOUT and EGG choose other versions.
set -eu
dir=${1:?usage: setup_doctests.sh DIR}; mkdir -p "$dir/src"; dir=$(cd "$dir" && pwd)
[ -e "$dir/ready" ] && exit 0
rm -rf "$dir/venv"; "${PEER_PYTHON:-/usr/bin/python3}" -m venv "$dir/venv"
pip() { "$dir/venv/bin/pip" "$@" -q --disable-pip-version-check --retries 10; }
pip install 'setuptools==75.8.2' 'wheel==0.45.1' 'pip==25.0'
pip install 'zope.testing==6.2' 'manuel==1.13.0' 'zdaemon==5.2.1'
# The suite makes a source distribution of zc.recipe.egg from where it is installed: both are installed from unpacked sources.
for requirement in "zc.buildout==${BUILDOUT:-3.3}" "zc.recipe.egg==${EGG:-2.0.7}"; do
  name=${requirement%%==*}; mkdir -p "$dir/src/$name"
  pip download --no-deps --no-binary :all: --no-build-isolation -d "$dir/src" "$requirement"
  archive=$(ls "$dir"/src/${name//./?}-*.tar.gz | head -1)
  tar xzf "$archive" -C "$dir/src/$name" --strip-components 1
  pip install --no-deps --no-build-isolation --config-settings editable_mode=compat -e "$dir/src/$name"
done
touch "$dir/ready"
