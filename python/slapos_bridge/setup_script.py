"""Runs the setup script of a source directory with setuptools imported before it.

Arguments: how to run it, the script, and the arguments of the script. `run` runs it as it is. `develop` takes a directory
after the script and leaves there what setuptools calls the development mode: a `.egg-link` file. Ends with the code 96
when this interpreter has no setuptools.
"""
import os
import sys
import warnings

NO_SETUPTOOLS = 96
# setuptools from this version on makes no `.egg-link` by itself.
WITHOUT_LINKS = 80


def execute(script, arguments):
    directory = os.path.dirname(script)
    sys.path.insert(0, directory)
    os.chdir(directory)
    sys.argv[:] = [script] + arguments
    names = {'__name__': '__main__', '__file__': script, '__builtins__': __builtins__}
    if os.path.exists(script) or not os.path.exists(os.path.join(directory, 'pyproject.toml')):
        with open(script, 'rb') as source:
            code = source.read()
    else:
        code = b'import setuptools\nsetuptools.setup()\n'
    exec(compile(code, script, 'exec'), names)


def write_link(target):
    """What `develop` of an older setuptools writes, for the distribution that a script has just set up."""
    import distutils.core
    information = distutils.core._setup_distribution.get_finalized_command('egg_info')
    base = os.path.abspath(information.egg_base or os.curdir)
    with open(os.path.join(target, information.egg_name + '.egg-link'), 'w') as link:
        link.write('%s\n%s' % (base, os.path.relpath(os.curdir, base)))


def main():
    how, script, arguments = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3:]
    # This program was given as text; the directory that it was started in is no place for modules.
    if sys.path and sys.path[0] == '':
        del sys.path[0]
    try:
        import setuptools
    except ImportError:
        sys.exit(NO_SETUPTOOLS)
    if how == 'run':
        execute(script, arguments)
        return
    target, quiet = arguments[0], arguments[1:]
    # The command is chosen here; that setuptools would like another one helps nobody.
    warnings.filterwarnings('ignore', module='setuptools')
    if int(setuptools.__version__.split('.')[0]) < WITHOUT_LINKS:
        execute(script, quiet + ['develop', '-mN', '-d', target])
    else:
        execute(script, quiet + ['egg_info', 'build_ext', '--inplace'])
        write_link(target)


main()
