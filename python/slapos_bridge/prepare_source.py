"""Unpacks a source archive, patches it, and tells what must be installed before it can be built.

One argument, a JSON object: `archive` is a file or directory, `directory` where to unpack it, `patches` the files to apply in
order, `patch` the command that applies one given on its standard input. Prints a JSON object: `source` is the directory of
the project, `is_script` whether it has nothing but a setup script, `requires` what its build needs, `missing` what of it
this interpreter does not have. Ends with the code 97 and what was printed when a patch does not apply.
"""
import json
import os
import shutil
import subprocess
import sys

DOES_NOT_APPLY = 97
# What a build needs that does not say so.
USUAL = ['setuptools', 'wheel']


def unpack(archive, directory):
    if os.path.isdir(archive):
        shutil.copytree(archive, directory, symlinks=True)
    else:
        try:
            shutil.unpack_archive(archive, directory, filter='data')
        except (TypeError, ValueError):
            # Older interpreters have no filter, and those for zip archives take none.
            shutil.unpack_archive(archive, directory)
    inside = [os.path.join(directory, name) for name in os.listdir(directory)]
    if len(inside) == 1 and os.path.isdir(inside[0]):
        return inside[0]
    return directory


def apply(command, patch, source):
    with open(patch, 'rb') as text:
        done = subprocess.run(command, stdin=text, cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stdout.write('%s does not apply\n%s' % (patch, done.stdout.decode(errors='replace')))
        sys.exit(DOES_NOT_APPLY)


def read_toml(path):
    try:
        import tomllib
    except ImportError:
        from pip._vendor import tomli as tomllib
    with open(path, 'rb') as content:
        return tomllib.load(content)


def needed(source):
    project = os.path.join(source, 'pyproject.toml')
    if not os.path.exists(project):
        return USUAL
    return read_toml(project).get('build-system', {}).get('requires', USUAL)


def is_here(text):
    from importlib.metadata import PackageNotFoundError, version
    from pip._vendor.packaging.requirements import Requirement
    requirement = Requirement(text)
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def main():
    order = json.loads(sys.argv[1])
    source = unpack(order['archive'], order['directory'])
    for patch in order['patches']:
        apply(order['patch'], patch, source)
    requires = needed(source)
    missing = [text for text in requires if not is_here(text)]
    is_script = not os.path.exists(os.path.join(source, 'pyproject.toml'))
    json.dump({'source': source, 'is_script': is_script, 'requires': requires, 'missing': missing}, sys.stdout)


main()
