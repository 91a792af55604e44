"""Modules that stand in for absent distributions: small ones of zc.buildout and of slapos.recipe.librecipe.

They are found only when no distribution of a recipe brings the real ones.
"""
import importlib
import importlib.machinery
import logging
import os
import shlex
import shutil
import stat
import sys

from slapos_bridge import channel
from slapos_bridge.distributions import build, develop, installed, script_header
from slapos_bridge.recipe import Build, Section, download, loads, serialised


def _zc(module):
    pass


def _zc_buildout(module):
    class UserError(Exception):
        """An error of the user's; it is shown without trace."""

        def __str__(self):
            return ' '.join(map(str, self.args))

    module.UserError = UserError


def _zc_buildout_buildout(module):
    user_error = importlib.import_module('zc.buildout').UserError
    module._slapos_own = True
    module.MissingOption = type('MissingOption', (user_error, KeyError), {})
    module.MissingSection = type('MissingSection', (user_error, KeyError), {
        '__str__': lambda self: 'The referenced section, %r, was not defined.' % self.args[0]})
    module.Options, module.Buildout = Section, Build
    module.dumps, module.loads = serialised, loads

    def bool_option(options, name, default=None):
        value = options.get(name, default)
        if value is None:
            raise KeyError(name)
        if value in ('true', 'false'):
            return value == 'true'
        raise user_error('Invalid value for %r option: %r' % (name, value))

    module.bool_option = bool_option


def _zc_buildout_easy_install(module):
    class WorkingSet(list):
        """Distributions of which only the places are known."""

        @property
        def entries(self):
            return [distribution.location for distribution in self]

    class Distribution(object):
        def __init__(self, location):
            self.location = location

    def install(specs, dest, **options):
        return WorkingSet(map(Distribution, installed(specs, dest, **options)))

    def working_set(specs, executable, path=None, **options):
        return install(specs, None, path=executable if path is None else path)

    def scripts(reqs, working_set, executable, dest=None, scripts=None, extra_paths=(), arguments='',
                interpreter=None, initialization='', relative_paths=False):
        if isinstance(reqs, str):
            raise TypeError('Expected iterable of requirements or entry points, got string.')
        reqs = list(reqs)
        return channel.ask(
            'scripts', directory=dest, scripts=scripts, arguments=arguments, interpreter=interpreter,
            initialization=initialization, relative_to=relative_paths or '',
            path=[distribution.location for distribution in working_set] + list(extra_paths),
            entries=[req for req in reqs if isinstance(req, (tuple, list))],
            requirements=[str(req) for req in reqs if not isinstance(req, (tuple, list))])

    class Installer(object):
        """Installs for many calls with the same places."""

        def __init__(self, dest=None, links=(), index=None, executable=None, always_unzip=None, path=None, **options):
            self._dest, self._given = dest, dict(options, links=links, index=index, path=path)

        def install(self, specs, working_set=None):
            return install(specs, self._dest, **self._given)

        def build(self, spec, build_ext):
            return build(spec, self._dest, build_ext, **self._given)

    module.install, module.working_set, module.scripts = install, working_set, scripts
    module.build, module.develop = build, develop
    module.Installer, module._safe_arg, module.script_header = Installer, str, script_header()


def _zc_buildout_download(module):
    user_error = importlib.import_module('zc.buildout').UserError
    module._slapos_own = True

    class Download(object):
        """Fetches files through the engine."""

        def __init__(self, options=None, cache=-1, namespace=None, offline=-1, fallback=False, hash_name=False,
                     logger=None):
            options = {} if options is None else options
            self.cache = options.get('download-cache') if cache == -1 else cache
            self.offline = offline
            if offline == -1:
                self.offline = 'true' in (options.get('offline'), options.get('install-from-cache'))

        def __call__(self, url, md5sum=None, path=None, alternate_url=None):
            return download(url, md5sum, path, use_cache=bool(self.cache), offline=bool(self.offline),
                            alternate_url=alternate_url)

        def download(self, url, md5sum=None, path=None, alternate_url=None):
            return download(url, md5sum, path, use_cache=False, offline=bool(self.offline),
                            alternate_url=alternate_url)

    module.Download, module.ChecksumError = Download, type('ChecksumError', (user_error,), {})


def _zc_buildout_rmtree(module):
    def rmtree(path):
        def again(function, name, error):
            for place in (os.path.dirname(name), name):
                os.chmod(place, stat.S_IRWXU)
            function(name)
        shutil.rmtree(path, onerror=again)

    module.rmtree = rmtree


def _librecipe(module):
    class GenericBaseRecipe(object):
        """A recipe that writes files: what small recipes of profiles derive from."""

        TRUE_VALUES = ['y', 'yes', '1', 'true']
        FALSE_VALUES = ['n', 'no', '0', 'false']

        def __init__(self, buildout, name, options):
            self.buildout, self.name = buildout, name
            self.logger = logging.getLogger(name)
            # The hook sees the section itself, so that it can add options to it.
            self.options = options.copy()
            self._options(options)
            self.options = options.copy()

        def _options(self, options):
            """Derived classes add options here."""

        def install(self):
            raise NotImplementedError('install method is not implemented.')

        def update(self):
            return self.install()

        def createFile(self, name, content, mode=0o600):
            content = content if isinstance(content, bytes) else content.encode('utf-8')
            name = os.path.abspath(name)
            try:
                with open(name, 'rb') as present:
                    same = present.read() == content
            except OSError:
                same = False
            if not same:
                # Whoever has the old file open keeps it.
                if os.path.lexists(name):
                    os.unlink(name)
                with open(name, 'wb') as target:
                    target.write(content)
            if mode is not None and stat.S_IMODE(os.stat(name).st_mode) != mode:
                os.chmod(name, mode)
            return name

        def createExecutable(self, name, content, mode=0o700):
            return self.createFile(name, content, mode)

        def createDirectory(self, parent, name, mode=0o700):
            path = os.path.join(parent, name)
            if not os.path.isdir(path):
                os.mkdir(path, mode)
            return path

        def createWrapper(self, path, args, env=None, sig_ign=None, **unknown):
            if unknown:
                raise NotImplementedError('install slapos.cookbook for createWrapper with %s' % ', '.join(sorted(unknown)))
            text = ['#!/bin/sh -e']
            if sig_ign:
                text.append("trap '' " + sig_ign)
            text += ['export %s=%s' % (key, shlex.quote(value)) for key, value in sorted((env or {}).items())]
            line = 'exec'
            for word in [shlex.quote(word) for word in args] + ['"$@"']:
                if len(line) < 40:
                    line += ' ' + word
                else:
                    text.append(line + ' \\')
                    line = '\t' + word
            text += [line, '']
            return self.createExecutable(path, '\n'.join(text))

        def substituteTemplate(self, template_location, mapping_dict):
            with open(template_location) as template:
                return template.read() % mapping_dict

        def isTrueValue(self, value):
            return str(value).lower() in self.TRUE_VALUES

        def optionIsTrue(self, optionname, default=None):
            if default is not None and optionname not in self.options:
                return default
            return self.isTrueValue(self.options[optionname])

    module.GenericBaseRecipe = GenericBaseRecipe


_OWN = {
    'zc': _zc,
    'zc.buildout': _zc_buildout,
    'zc.buildout.buildout': _zc_buildout_buildout,
    'zc.buildout.easy_install': _zc_buildout_easy_install,
    'zc.buildout.download': _zc_buildout_download,
    'zc.buildout.rmtree': _zc_buildout_rmtree,
    'slapos': _zc,
    'slapos.recipe': _zc,
    'slapos.recipe.librecipe': _librecipe,
}


class _Loader(object):
    """Makes the modules."""

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        # Distributions that add to the same namespace are found beside it.
        module.__path__ = _namespace_path(module.__name__)
        _OWN[module.__name__](module)


def find_spec(name):
    """The module of that name, if it is made here; to be asked last, so that real ones win."""
    if name not in _OWN:
        return None
    return importlib.machinery.ModuleSpec(name, _Loader, is_package=True)


def _namespace_path(name):
    places = [os.path.join(place, *name.split('.')) for place in sys.path]
    return [place for place in places if os.path.isdir(place)]


def extend_paths():
    """Lets the stand-ins find what distributions that came later have beside them."""
    for name in _OWN:
        module = sys.modules.get(name)
        if module is not None and getattr(module.__spec__, 'loader', None) is _Loader:
            module.__path__ = _namespace_path(name)
