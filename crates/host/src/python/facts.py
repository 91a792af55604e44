"""Tells what the engine must know about the interpreter that runs it: one JSON object on standard output.

Started with -I -S -B: nothing of the user's or of the site's is imported."""
import json
import os
import site
import sys
import sysconfig


def places(executable):
    """The prefix of the interpreter, or of its virtual environment, and the directories of its site packages."""
    here = os.path.dirname(executable)
    for place in (here, os.path.dirname(here)):
        try:
            with open(os.path.join(place, 'pyvenv.cfg')) as settings:
                pairs = dict(line.lower().split('=', 1) for line in settings if '=' in line)
        except OSError:
            continue
        wanted = {key.strip(): value.strip() for key, value in pairs.items()}
        found = [os.path.join(place, 'lib', 'python%d.%d' % sys.version_info[:2], 'site-packages')]
        if wanted.get('include-system-site-packages') == 'true':
            found += site.getsitepackages([sys.base_prefix])
        return place, found
    return sys.prefix, site.getsitepackages([sys.prefix])


def libc():
    try:
        name, _, version = os.confstr('CS_GNU_LIBC_VERSION').partition(' ')
    except (AttributeError, OSError, ValueError):
        return None
    return version if name == 'glibc' else None


prefix, site_directories = places(sys.executable)
system = os.uname()
release = '%d.%d.%d' % sys.version_info[:3]
implementation = sys.implementation
implementation_release = '%d.%d.%d' % implementation.version[:3]
if implementation.version[3] != 'final':
    implementation_release += implementation.version[3][0] + str(implementation.version[4])
json.dump({
    'executable': sys.executable,
    'version': release,
    'release_level': [sys.version_info[3], sys.version_info[4]],
    'bits': sys.maxsize.bit_length() + 1,
    'big_endian': sys.byteorder == 'big',
    'major': sys.version_info[0],
    'minor': sys.version_info[1],
    'prefix': prefix,
    'site_directories': [path for path in site_directories if os.path.isdir(path)],
    'platform': sysconfig.get_platform(),
    'extension_suffix': sysconfig.get_config_var('EXT_SUFFIX'),
    'glibc': libc(),
    'markers': {
        'implementation_name': implementation.name,
        'implementation_version': implementation_release,
        'os_name': os.name,
        'platform_machine': system.machine,
        'platform_python_implementation': {'cpython': 'CPython', 'pypy': 'PyPy'}.get(
            implementation.name, implementation.name),
        'platform_release': system.release,
        'platform_system': system.sysname,
        'platform_version': system.version,
        'python_full_version': sys.version.split()[0].rstrip('+'),
        'python_version': '%d.%d' % sys.version_info[:2],
        'sys_platform': sys.platform,
    },
}, sys.stdout)
