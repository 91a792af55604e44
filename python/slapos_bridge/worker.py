"""Runs Python recipes for the build engine, which started it and speaks to it over a socket handed in as descriptor 0.

One JSON document per line. A document with `ask` is a request, one with `answer` or `error` its reply. Requests nest
strictly: while one side waits for a reply it serves the other's requests. So there is one thread and no numbering.
"""
import functools
import importlib
import json
import logging
import os
import re
import socket
import subprocess
import sys
import traceback
import types

PROTOCOL = 1


class EngineError(Exception):
    """A request to the engine that failed in a way that has no class of zc.buildout."""


class Channel(object):
    """The connection to the engine."""

    def __init__(self, connection):
        self.connection = connection
        self.reader = connection.makefile('r', encoding='utf-8', newline='\n')
        self.handlers = {}
        self.environment = dict(os.environ)
        self.raise_user_error = None

    def send(self, document):
        # What the engine prints of this comes behind what was printed before it.
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                pass
        self.connection.sendall(json.dumps(document).encode('ascii') + b'\n')

    def receive(self):
        line = self.reader.readline()
        if not line:
            # The engine is gone, and with it every reason to go on.
            os._exit(0)
        return json.loads(line)

    def ask(self, request, **arguments):
        """Asks the engine, and serves it until it answers."""
        arguments['ask'] = request
        # What the engine starts for this, and recipes that it calls meanwhile, see what the caller has set.
        changed = None if request == 'log' else self.changed_environment()
        if changed:
            arguments['environment'] = changed
        self.send(arguments)
        while True:
            document = self.receive()
            if 'ask' in document:
                self.serve(document)
            elif 'error' in document:
                raise self.exception(document['error'])
            else:
                return document.get('answer')

    def exception(self, error):
        found = None
        if self.raise_user_error is not None:
            found = self.raise_user_error(error)
        if found is None:
            found = EngineError(*error['arguments'])
        found.slapos_engine_error = error.get('number')
        return found

    def serve(self, document):
        handler = self.handlers[document.pop('ask')]
        for name, value in (document.pop('environment', None) or {}).items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self.environment = dict(os.environ)
        try:
            reply = {'answer': handler(**document)}
        except BaseException as error:
            reply = {'error': describe(error)}
        changed = self.changed_environment()
        if changed:
            reply['environment'] = changed
        self.send(reply)

    def changed_environment(self):
        now = dict(os.environ)
        before, self.environment = self.environment, now
        changed = {name: value for name, value in now.items() if before.get(name) != value}
        changed.update((name, None) for name in before if name not in now)
        return changed


def is_own(frame):
    """Whether a frame is of this program, which is given as text, or of the imports that it makes."""
    return frame.filename in ('<string>', __file__ if '__file__' in globals() else '', importlib.__file__) \
        or frame.filename.startswith(('<slapos', '<frozen importlib'))


TRACE = 'Traceback (most recent call last):\n'


def without_own_frames(summary):
    """A trace as the author of a recipe wants it."""
    if summary is not None:
        summary.stack[:] = [frame for frame in summary.stack if not is_own(frame)]
        without_own_frames(summary.__cause__)
        without_own_frames(summary.__context__)
    return summary


def is_user_error(error):
    """Whether an exception says what a user did wrong, in words for that user."""
    for module, name in (('zc.buildout', 'UserError'), ('distutils.errors', 'DistutilsError')):
        if isinstance(error, getattr(sys.modules.get(module), name, ())):
            return True
    return False


def describe(error):
    """What the engine tells about an exception of a recipe."""
    # The last frame outside of this program is where its author looks first.
    foreign = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_own(frame)]
    place = None
    if foreign:
        place = '%s:%s in %s' % (foreign[-1].filename, foreign[-1].lineno, foreign[-1].name)
    user_error = is_user_error(error)
    trace = ''.join(without_own_frames(traceback.TracebackException.from_exception(error)).format())
    # Where no frame is left, as of a module that cannot be compiled, the header that programs look for is left out.
    if not trace.startswith(TRACE):
        trace = TRACE + trace
    text = str(error)
    if isinstance(error, KeyError) and not user_error and error.args:
        text = 'no such key: %s' % (error.args[0],)
    return {
        'type': type(error).__name__,
        'text': text,
        'place': place,
        'user': user_error,
        'number': getattr(error, 'slapos_engine_error', None),
        'traceback': trace,
    }


class EngineHandler(logging.Handler):
    """Hands log records to the engine, which decides what is shown."""

    def __init__(self, channel):
        logging.Handler.__init__(self)
        self.channel = channel

    def emit(self, record):
        try:
            self.channel.ask('log', level=record.levelno, logger=record.name, text=self.format(record))
        except Exception:
            self.handleError(record)


def import_own(name):
    """A module of this program, of which the engine has given the text."""
    full_name = 'slapos_bridge.' + name
    if full_name not in sys.modules:
        module = sys.modules[full_name] = types.ModuleType(full_name)
        source = sys.modules['slapos_bridge'].sources[name]
        # The names of these files appear in tracebacks only.
        exec(compile(source, '<slapos_bridge/%s.py>' % name, 'exec'), module.__dict__)
    return sys.modules[full_name]


def share_job_server():
    """Lets the makes that recipes start take jobs of the build.

    The server is known by two descriptors that MAKEFLAGS names. They are inherited, but Python closes all descriptors of
    what it starts; a program gets these two if its own environment names them and the caller has not chosen descriptors.
    """
    found = re.search(r'--jobserver-auth=(\d+),(\d+)', os.environ.get('MAKEFLAGS', ''))
    if found is None:
        return
    descriptors = tuple(map(int, found.groups()))
    start = subprocess.Popen.__init__
    names = start.__code__.co_varnames[1:start.__code__.co_argcount]

    @functools.wraps(start)
    def start_with_jobs(self, *arguments, **options):
        given = dict(zip(names, arguments), **options)
        environment = given.get('env')
        flags = (os.environ if environment is None else environment).get('MAKEFLAGS')
        if (isinstance(flags, str) and found.group() in flags.split()
                and given.get('close_fds', True) and not given.get('pass_fds')):
            options['pass_fds'] = descriptors
        start(self, *arguments, **options)

    subprocess.Popen.__init__ = start_with_jobs


def main():
    # The socket leaves its place as standard input, so that what a recipe starts finds nothing there.
    descriptor = os.dup(0)
    os.set_inheritable(descriptor, False)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    channel = Channel(socket.socket(fileno=descriptor))

    def hello(protocol, sources):
        if protocol != PROTOCOL:
            raise EngineError('protocol %s is not known' % protocol)
        package = sys.modules['slapos_bridge'] = types.ModuleType('slapos_bridge')
        package.__path__, package.channel = [], channel
        package.sources = dict(sources)
        package.import_own = import_own
        import_own('recipe')
        return {'version': '%d.%d.%d' % sys.version_info[:3], 'executable': sys.executable}

    share_job_server()
    channel.handlers['hello'] = hello
    root = logging.getLogger()
    root.addHandler(EngineHandler(channel))
    root.setLevel(logging.DEBUG)
    # These speak of their own affairs, not of the build's.
    for name in ('urllib3', 'requests', 'asyncio', 'chardet', 'pip'):
        logging.getLogger(name).setLevel(logging.WARNING)
    while True:
        channel.serve(channel.receive())


if __name__ == '__main__':
    main()
