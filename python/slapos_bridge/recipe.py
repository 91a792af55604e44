"""Recipes: what they see of a build, and how the engine makes and runs them.

The modules of zc.buildout are the real ones when a recipe's distributions bring them; else, and only then, those of
`stand_ins`.
"""
import importlib
import importlib.machinery
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping

from slapos_bridge import channel, import_own

distributions = import_own('distributions')

# --- values that are no text ---

_MAGIC = '!py!'
_NAMES = {'bytearray': bytearray, 'complex': complex, 'frozenset': frozenset, 'set': set, 'dict': dict, 'list': list,
          'str': str, 'tuple': tuple, 'True': True, 'False': False, 'None': None}


def _written(value):
    kind = type(value)
    if kind is dict:
        return '{%s}' % ', '.join('%s: %s' % pair for pair in sorted((_written(k), _written(v)) for k, v in value.items()))
    if kind is list:
        return '[%s]' % ', '.join(map(_written, value))
    if kind is tuple:
        return '(%s%s)' % (', '.join(map(_written, value)), ',' if len(value) == 1 else '')
    if kind is set:
        return '{%s}' % ', '.join(sorted(map(_written, value))) if value else 'set()'
    if kind is frozenset:
        return 'frozenset({%s})' % ', '.join(sorted(map(_written, value))) if value else 'frozenset()'
    if value is None or kind in (str, bytes, bytearray, bool, int, float, complex):
        return repr(value)
    raise TypeError('Value cannot be serialised', value)


def dumps(value):
    """The text of an option for a value."""
    if isinstance(value, str) and not value.startswith('!py'):
        return str(value)
    return serialised(value)


def serialised(value):
    """The text that gives any value back, text included: what templates call `dumps`."""
    text = _MAGIC + _written(value).replace('$', '\\x24').replace(';', '\\x3b')
    if loads(text) != value:
        raise ValueError('Value cannot be serialised')
    return text


def loads(text):
    """The value that the text of an option stands for."""
    if not text.startswith(_MAGIC):
        return text
    return eval(text[len(_MAGIC):], {'__builtins__': {}}, dict(_NAMES))


# --- sections and the build ---

_SIGNATURE = '__buildout_signature__'


class _StandIns(object):
    """Imports the stand-ins when a module is asked for that nobody else has."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition('.')[0] not in ('zc', 'slapos'):
            return None
        return import_own('stand_ins').find_spec(name)


sys.meta_path.append(_StandIns)


class _Data(Mapping):
    """The options of a section as a plain mapping, for recipes that look behind the section."""

    def __init__(self, section):
        self.section = section

    def __getitem__(self, option):
        value = channel.ask('get', section=self.section, option=option)
        if value is None:
            raise KeyError(option)
        return loads(value)

    def __iter__(self):
        return iter(channel.ask('keys', section=self.section))

    def __len__(self):
        return len(channel.ask('keys', section=self.section))


class Section(object):
    """What a section does, whichever class it has besides."""

    def __init__(self, buildout, name):
        self.buildout = buildout
        self.name = name
        self._data = _Data(name)
        self._created = None
        self._signature = None

    @property
    def _raw(self):
        return self._copy()

    @property
    def _cooked(self):
        return {}

    def get(self, option, default=None, seen=None):
        if not isinstance(self._data, _Data):
            try:
                return self._data[option]
            except KeyError:
                pass
        if option == _SIGNATURE:
            # From here on it is one of the options: what a shared part depends on is part of its address.
            self._signature = channel.ask('signature', section=self.name)
            return default if self._signature is None else self._signature
        value = channel.ask('get', section=self.name, option=option)
        return default if value is None else loads(value)

    def __getitem__(self, option):
        value = self.get(option)
        if value is None:
            raise _user_errors().MissingOption('Missing option: %s:%s' % (self.name, option))
        return value

    def __setitem__(self, option, value):
        channel.ask('set', section=self.name, option=option, value=dumps(value))
        if not isinstance(self._data, _Data):
            self._data[option] = value

    def __delitem__(self, option):
        if not channel.ask('delete', section=self.name, option=option):
            raise KeyError(option)
        if not isinstance(self._data, _Data):
            self._data.pop(option, None)

    def __contains__(self, option):
        return self.get(option) is not None

    def keys(self):
        return channel.ask('keys', section=self.name) + [_SIGNATURE] * (self._signature is not None)

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self.keys())

    def _copy(self):
        options = {option: loads(value) for option, value in channel.ask('copy', section=self.name).items()}
        if self._signature is not None:
            options[_SIGNATURE] = self._signature
        return options

    def copy(self):
        return self._copy()

    def _sub(self, template, seen):
        return channel.ask('expand', section=self.name, text=template)

    def created(self, *paths):
        if self._created is None:
            raise TypeError('Attempt to register a created path while not installing', self.name)
        self._created.extend(paths)
        channel.ask('created', paths=[os.path.abspath(path) for path in paths])
        return self._created

    def get_bool(self, option):
        return _boolean(option, self[option])

    def query_bool(self, option, default=None):
        value = self.get(option, default)
        return None if value is None else _boolean(option, value)

    def barrier(self):
        """Forgets what the section has depended on so far; see the engine."""
        channel.ask('barrier', section=self.name)

    def _call(self, function):
        self._created = []
        try:
            return function()
        finally:
            self._created = None

    def __repr__(self):
        return '<section %s>' % self.name


class Build(object):
    """What the build does, whichever class it has besides."""

    def __init__(self):
        self._sections = {}
        self._logger = logging.getLogger('zc.buildout')

    def __getitem__(self, section):
        known = self._sections.get(section)
        channel.ask('access', section=section)
        if known is None:
            known = self._sections[section] = _classes()[0](self, section)
        return known

    def get(self, section, default=None):
        return self[section] if section in self else default

    def __contains__(self, section):
        return channel.ask('has', section=section)

    def __setitem__(self, section, options):
        channel.ask('add_section', section=section, options={name: dumps(value) for name, value in options.items()})

    def __delitem__(self, section):
        raise NotImplementedError('sections cannot be removed')

    def keys(self):
        return channel.ask('sections')

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self.keys())

    @property
    def _parts(self):
        return channel.ask('parts')

    def parse(self, text):
        channel.ask('parse', text=text)

    @property
    def offline(self):
        return channel.ask('flags')['offline']

    @property
    def newest(self):
        return channel.ask('flags')['newest']

    @property
    def _log_level(self):
        return logging.INFO

    @property
    def _links(self):
        return (channel.ask('get', section='buildout', option='find-links') or '').split()

    @property
    def _allow_hosts(self):
        return tuple((channel.ask('get', section='buildout', option='allow-hosts') or '*').split())

    def _buildout_path(self, name):
        return os.path.join(self['buildout']['directory'], os.path.expanduser(name))


_made = {}


def _classes():
    """The classes of sections and of the build; they derive from the real ones once those are loaded."""
    real = sys.modules.get('zc.buildout.buildout')
    real = real if hasattr(real, 'Options') and not getattr(real, '_slapos_own', False) else None
    key = real is not None
    if key not in _made:
        bases = (real.Options, real.Buildout) if real else (MutableMapping, MutableMapping)
        _made[key] = (type('Options', (Section, bases[0]), {'__hash__': object.__hash__}),
                      type('Buildout', (Build, bases[1]), {'__hash__': object.__hash__}))
    return _made[key]


_builds = []


def _build():
    """The build; there is one."""
    if not _builds:
        _builds.append(_classes()[1]())
    _follow_classes()
    return _builds[0]


def _follow_classes():
    """Makes the build and its sections of the classes that there are once the real ones are loaded."""
    of_sections, of_builds = _classes()
    for build in _builds:
        build.__class__ = of_builds
        for section in build._sections.values():
            section.__class__ = of_sections


def _boolean(option, value):
    if value in ('true', 'false'):
        return value == 'true'
    raise importlib.import_module('zc.buildout').UserError('Invalid value for %r option: %r' % (option, value))


# --- errors ---

def _user_errors():
    return importlib.import_module('zc.buildout.buildout')


def _engine_error(error):
    if error['type'] in ('MissingOption', 'MissingSection'):
        return getattr(_user_errors(), error['type'])(*error['arguments'])
    if error['type'] == 'ChecksumError':
        return importlib.import_module('zc.buildout.download').ChecksumError(*error['arguments'])
    return importlib.import_module('zc.buildout').UserError(*error['arguments'])


channel.raise_user_error = _engine_error


# --- modules of zc.buildout ---

def download(url, md5sum=None, path=None, **options):
    """Fetches a file through the engine; gives its place, and whether it vanishes with the build."""
    if path is not None:
        path = os.path.abspath(path)
    return tuple(channel.ask('download', url=url, md5sum=md5sum, path=path, **options))


def _use_engine_for_downloads(module):
    """Makes the real downloads of zc.buildout fetch through the engine; their own caches stay theirs."""
    own = module.Download.download

    def fetch(self, url, md5sum=None, path=None):
        if self.offline or '://' not in url or url.startswith('file:'):
            return own(self, url, md5sum, path)
        return download(url, md5sum, path, use_cache=False)

    module.Download.download = fetch


def _join_classes(module):
    """Makes what recipes hold objects of the real classes, which get what SlapOS's own zc.buildout adds to them."""
    if not hasattr(module, 'dumps'):
        module.dumps, module.loads = serialised, loads
    _follow_classes()


class _Changes(object):
    """Changes real modules of zc.buildout as soon as they are imported, by whomever: recipes do so at any time."""

    changes = {'zc.buildout.buildout': _join_classes,
               'zc.buildout.download': _use_engine_for_downloads,
               'zc.buildout.easy_install': distributions.use_engine}

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        change = cls.changes.get(name)
        spec = change and importlib.machinery.PathFinder.find_spec(name, path, target)
        if not spec:
            return None
        execute = spec.loader.exec_module

        def execute_and_change(module):
            execute(module)
            if module.__name__ == name:
                change(module)

        spec.loader.exec_module = execute_and_change
        return spec


sys.meta_path.insert(0, _Changes)


# --- what the engine asks ---

_recipes = {}
_files = {}


def _complete_zc_buildout():
    """Gives the package what its own program has loaded by then: recipes use its modules without importing them.

    Nothing to do while nobody has imported it; tells whether there was something.
    """
    package = sys.modules.get('zc.buildout')
    if package is None or '__getattr__' in package.__dict__:
        return False

    def lazily(name):
        if name.startswith('_'):
            raise AttributeError(name)
        try:
            return importlib.import_module('zc.buildout.' + name)
        except ImportError:
            raise AttributeError("module 'zc.buildout' has no attribute %r" % name)

    package.__getattr__ = lazily
    return True


def _load(entry):
    if 'file' in entry:
        path = entry['file']
        if path not in _files:
            from importlib.util import module_from_spec, spec_from_file_location
            spec = spec_from_file_location('slapos_recipe_%d' % len(_files), path)
            _files[path] = module_from_spec(spec)
            # Such a file may import what stands beside it.
            sys.path.insert(0, os.path.dirname(path))
            try:
                spec.loader.exec_module(_files[path])
            except BaseException:
                del _files[path]
                raise
            finally:
                sys.path.remove(os.path.dirname(path))
        return getattr(_files[path], entry['attribute'])
    found = importlib.import_module(entry['module'])
    for name in entry['attribute'].split('.'):
        found = getattr(found, name)
    return found


def load(entry, path, directory):
    """Imports a recipe."""
    os.chdir(directory)
    distributions.extend_path(path)
    # Importing zc.buildout costs more than most recipes do, so it is left to those that want it.
    try:
        _load(entry)
    except AttributeError:
        # It may have wanted a module of zc.buildout that it has not imported.
        if not _complete_zc_buildout():
            raise
        _load(entry)
    _complete_zc_buildout()


def init(section, entry, directory):
    """Makes the recipe object of a section."""
    os.chdir(directory)
    made = _load(entry)
    build = _build()
    options = build[section]
    _recipes[section] = options, made(build, section, options)
    hidden = []
    if 'copy' in options.__dict__:
        kept = options.copy()
        hidden = [option for option in options._copy() if option not in kept]
    return {'late': not isinstance(options._data, _Data), 'hidden': hidden}


def run(section, phase, directory):
    """Installs or updates a part; gives the paths that it owns."""
    os.chdir(directory)
    options, recipe = _recipes[section]
    function = getattr(recipe, phase, None)
    if function is None:
        logging.getLogger('zc.buildout').warning("The recipe for %s doesn't define an update method. Using its install method.", section)
        function = recipe.install
    try:
        paths = options._call(function)
    finally:
        os.chdir(directory)
    if paths is None:
        if phase == 'install':
            logging.getLogger('zc.buildout').warning(
                'The %s install returned None.  A path or iterable os paths should be returned.', section)
        return []
    return [paths] if isinstance(paths, str) else [str(found) for found in paths]


def late(section, option):
    """An option that a recipe computes when it is asked for."""
    try:
        value = _recipes[section][0]._data[option]
    except KeyError:
        return None
    return dumps(value)


def uninstall(part, entry, path, options, directory):
    """Undoes what a part did beyond its files."""
    load(entry, path, directory)
    _load(entry)(part, options)


def extend(entry, path, directory):
    """Calls an extension with the build."""
    load(entry, path, directory)
    _load(entry)(_build())


channel.handlers.update(load=load, extend=extend, init=init, run=run, late=late, uninstall=uninstall)
