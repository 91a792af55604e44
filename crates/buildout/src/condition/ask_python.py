"""Decides the condition of a section that is beyond the engine's own evaluator."""
import json
import os
import platform
import re
import sys


def names():
    """What the conditions of profiles may name."""
    version = sys.version_info
    system = sys.platform.lower()
    interpreter = platform.python_implementation().lower()
    known = {'sys': sys, 'os': os, 'platform': platform, 're': re}
    known.update({
        'python2': version[0] == 2,
        'python3': version[0] == 3,
        'cpython': interpreter not in ('pypy', 'jython', 'ironpython'),
        'pypy': interpreter == 'pypy',
        'jython': interpreter == 'jython',
        'ironpython': interpreter == 'ironpython',
        'linux': 'linux' in system,
        'windows': 'win32' in system,
        'cygwin': 'cygwin' in system,
        'solaris': 'sunos' in system,
        'macosx': 'darwin' in system,
        'posix': os.name == 'posix',
        'bits32': sys.maxsize < 2 ** 32,
        'bits64': sys.maxsize >= 2 ** 32,
        'little_endian': sys.byteorder == 'little',
        'big_endian': sys.byteorder == 'big',
    })
    for major, minors in ((2, range(4, 8)), (3, range(100))):
        for minor in minors:
            known['python%d%d' % (major, minor)] = tuple(version[:2]) == (major, minor)
    return known


answer = os.dup(1)
os.dup2(2, 1)
try:
    told = {'holds': bool(eval(sys.argv[1].strip(), names()))}
except Exception as error:
    told = {'error': type(error).__name__, 'text': str(error)}
os.write(answer, json.dumps(told).encode())
