"""Distributions: what zc.buildout's `easy_install` does for recipes, done by the engine, under its pins."""
import importlib
import os
import sys

from slapos_bridge import channel


def installed(specs, dest=None, path=None, **options):
    """Finds what requirements need, and installs it into `dest`; without that, only what is in `path` will do.

    Gives the places.
    """
    return channel.ask('install', requirements=[str(spec) for spec in specs], **where(dest, path, **options))


def where(dest, path=None, links=(), index=None, newest=True, versions=None, check_picked=True,
          allow_unknown_extras=False, **ignored):
    """Where the engine is to look and to put, from what callers of zc.buildout give."""
    return {'directory': dest and os.path.abspath(dest), 'path': [os.path.abspath(place) for place in path or ()],
            'links': list(links), 'index': index, 'newest': newest, 'versions': versions and dict(versions),
            'check_picked': check_picked, 'allow_unknown_extras': allow_unknown_extras}


def build(spec, dest, build_ext, **options):
    """Builds a distribution from its sources into `dest`; gives its place in a list."""
    return channel.ask('build', requirement=spec, build_ext=dict(build_ext), **where(dest, **options))


def develop(setup, dest, build_ext=None, executable=None):
    """Leaves a link to the directory of a setup script in `dest`; gives the link."""
    setup = os.path.abspath(setup)
    if os.path.isdir(setup):
        setup = os.path.join(setup, 'setup.py')
    return channel.ask('develop', setup=setup, directory=os.path.abspath(dest), build_ext=dict(build_ext or {}))


def script_header():
    """The first line of scripts, or three when some kernels would not follow one that names this interpreter."""
    if len(sys.executable) < 126 and ' ' not in sys.executable:
        return '#!%(python)s'
    return """#!/bin/sh\n'''exec' "%(python)s" "$0" "$@"\n' '''"""


def extend_path(path):
    """Makes the distributions of these places importable."""
    new = [place for place in path if place not in sys.path]
    if not new:
        return
    sys.path[0:0] = new
    importlib.invalidate_caches()
    resources = sys.modules.get('pkg_resources')
    if resources is not None:
        for place in new:
            resources.working_set.add_entry(place)
    for place in new:
        _extend_namespaces(place)
    stand_ins = sys.modules.get('slapos_bridge.stand_ins')
    if stand_ins is not None:
        stand_ins.extend_paths()


def _extend_namespaces(place):
    """Lets namespace packages that are imported already find what a distribution adds to them."""
    try:
        with open(os.path.join(place, 'EGG-INFO', 'namespace_packages.txt')) as names:
            namespaces = names.read().split()
    except OSError:
        return
    for name in namespaces:
        path = getattr(sys.modules.get(name), '__path__', None)
        found = os.path.join(place, *name.split('.'))
        if path is not None and found not in path:
            path.append(found)


def use_engine(module):
    """Makes the real easy_install of zc.buildout install, build and link through the engine."""
    import pkg_resources

    def add(places, working_set):
        if working_set is None:
            return pkg_resources.WorkingSet(places)
        if working_set is pkg_resources.working_set:
            # What a working set of this process has is what can be imported; what it has already stays.
            has = set(working_set.by_key)
            extend_path([place for place in places
                         if not has.issuperset(found.key for found in pkg_resources.find_distributions(place, True))])
        else:
            for place in places:
                working_set.add_entry(place)
        return working_set

    def install(specs, dest, links=(), index=None, executable=sys.executable, always_unzip=None, path=None,
                working_set=None, newest=True, versions=None, use_dependency_links=None, allow_hosts=('*',),
                include_site_packages=None, allowed_eggs_from_site_packages=None, check_picked=True,
                allow_unknown_extras=False):
        return add(installed(specs, dest, path, links=links, index=index, newest=newest, versions=versions,
                             check_picked=check_picked, allow_unknown_extras=allow_unknown_extras), working_set)

    def working_set(specs, executable, path=None, include_site_packages=None, allowed_eggs_from_site_packages=None):
        # The interpreter, which older callers give, may be left out.
        return install(specs, None, path=executable if path is None else path)

    class Installer(module.Installer):
        """Installs for many calls with the same places."""

        def __init__(self, dest=None, links=(), index=None, executable=sys.executable, always_unzip=None, path=None,
                     newest=True, versions=None, use_dependency_links=None, allow_hosts=('*',), check_picked=True,
                     allow_unknown_extras=False):
            self._dest, self._given = dest, dict(
                path=path, links=links, index=index, newest=newest, versions=versions, check_picked=check_picked,
                allow_unknown_extras=allow_unknown_extras)

        def install(self, specs, working_set=None):
            return add(installed(specs, self._dest, **self._given), working_set)

        def build(self, spec, build_ext):
            return build(spec, self._dest, build_ext, **self._given)

    module.install, module.working_set, module.Installer = install, working_set, Installer
    module.build, module.develop = build, develop
    header, module.script_header = module.script_header, script_header()
    for name in 'script_template', 'distutils_script_template', 'py_script_template':
        template = getattr(module, name)
        if template.startswith(header):
            setattr(module, name, module.script_header + template[len(header):])
    # For those that ask; the engine knows them.
    settings = channel.ask('egg_settings')
    module.default_versions({name: text.split(':whl')[0] for name, text in settings['pins'].items()})
    module.allow_picked_versions(settings['allow_picked_versions'])
    module.prefer_final(settings['prefer_final'])
