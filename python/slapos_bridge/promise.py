"""Runs promise plugins: a server that forks once for each, after everything expensive was imported once.

It is started as the partition's user, with the release's interpreter, and has no privilege to lose. Its standard input
is a socket on which, after a line of settings, one connection arrives for each promise. The child that it forks owns
the connection: it reads one line, the request, tells what happens in lines of its own, and ends. An end without a
result is a failure that the other side reports.
"""
import array
import errno
import gc
import importlib.util
import json
import logging
import os
import re
import select
import signal
import socket
import sys
import traceback
import types

LONGEST_MESSAGE = 5000


class Modules(object):
  """Gives modules of our own, by name and source, to imports that found nothing else."""

  def __init__(self, sources):
    self.sources = sources

  def find_spec(self, name, path=None, target=None):
    is_package = any(other.startswith(name + '.') for other in self.sources)
    if name not in self.sources and not is_package:
      return None
    return importlib.util.spec_from_loader(name, self, origin='<slapos %s>' % name, is_package=is_package)

  def create_module(self, spec):
    return None

  def exec_module(self, module):
    source = self.sources.get(module.__name__, '')
    exec(compile(source, '<slapos %s>' % module.__name__, 'exec'), module.__dict__)


class Remembered(object):
  """Gives back modules that were imported with the same path, when a plugin has dropped them to import them anew."""

  def __init__(self, path_line):
    self.path_line = path_line
    self.modules = {
      name: module for name, module in sys.modules.items()
      if 'slapos' in name or 'pkg_resources' in name}

  def find_spec(self, name, path=None, target=None):
    if name not in self.modules:
      return None
    return importlib.util.spec_from_loader(name, self)

  def create_module(self, spec):
    return self.modules[spec.name]

  def exec_module(self, module):
    pass


class Connection(object):
  """The other side, which reads and writes lines of JSON."""

  def __init__(self, descriptor):
    self.socket = socket.socket(fileno=descriptor)
    self.reader = self.socket.makefile('rb')

  def read(self):
    line = self.reader.readline()
    if not line:
      raise EOFError('nobody waits for this promise')
    return json.loads(line.decode('utf-8'))

  def write(self, **message):
    self.socket.sendall(json.dumps(message).encode('utf-8') + b'\n')

  def may_bang(self):
    self.write(may_bang=True)
    return self.read()['granted']

  def bang(self, message):
    """Makes the other side bang; returns whether it did."""
    self.write(bang=message)
    answer = self.read()
    if answer.get('error'):
      raise RuntimeError(answer['error'])
    return answer['granted']


class ResultQueue(object):
  """Takes the place of the queue that plugins give their results to."""

  def __init__(self, connection):
    self.connection = connection

  def put_nowait(self, result):
    item = result.item
    if item.type() == 'Empty Result':
      self.connection.write(empty=True)
      return
    message = item.message
    if message is not None:
      message = str(message)
      if len(message) > LONGEST_MESSAGE:
        message = '...' + message[-LONGEST_MESSAGE:]
    self.connection.write(result={
      'type': item.type(),
      'failed': bool(item.hasFailed()),
      'date': item.date.strftime('%Y-%m-%dT%H:%M:%S+0000'),
      'message': message,
    })

  put = put_nowait


def load(request, remembered):
  """Executes a plugin and returns its module."""
  name, path = request['name'], request['path']
  if re.match(r'[a-zA-Z_]', name) is None:
    raise ValueError('Promise plugin name %r is not valid' % name)
  folder = os.path.dirname(path)
  if sys.path[:1] != [folder]:
    sys.path.insert(0, folder)
  title = os.path.splitext(name)[0]
  module = types.ModuleType(title)
  module.__file__ = path
  with open(path, 'rb') as plugin:
    source = plugin.read()
  if remembered is not None and remembered.path_line == path_line_of(source):
    sys.meta_path.insert(0, remembered)
  sys.modules[title] = module
  exec(compile(source, path, 'exec'), module.__dict__)
  return module


def check(module, name):
  """Returns the class of a plugin, when it is one."""
  promise = getattr(module, 'RunPromise', None)
  if promise is None:
    raise AttributeError('Class RunPromise not found in promise %s' % name)
  from slapos.grid.promise import interface
  from slapos.grid.promise.generic import GenericPromise
  if not interface.IPromise.implementedBy(promise):
    raise RuntimeError(
      "RunPromise class in %s must implement 'IPromise' interface."
      ' @implementer(interface.IPromise) is missing ?' % name)
  if not issubclass(promise, GenericPromise):
    raise RuntimeError('RunPromise class is not a subclass of GenericPromise class.')
  return promise


def configuration(module, request, connection):
  """Returns what a plugin is constructed with."""
  values = dict(request['configuration'], queue=ResultQueue(connection), path=request['path'], name=request['name'])
  extra = getattr(module, 'extra_config_dict', {})
  if not isinstance(extra, dict):
    raise ValueError('Extra parameter is not a dict')
  for key in extra:
    if key in values:
      raise ValueError('Extra parameter name %r cannot be used.\n%s' % (key, extra))
  values.update(extra)
  return values


def tell_schedule(promise, connection):
  """Tells when the promise wants to run, and for what, before it runs: it may never end."""
  source = sys.modules.get(type(promise).__module__)
  file_name = os.path.splitext(getattr(source, '__file__', None) or promise.getPromiseFile())[0] + '.py'
  flag = lambda name: getattr(promise, name)() if hasattr(promise, name) else True
  connection.write(schedule={
    'is_tested': flag('isTested'),
    'is_anomaly_detected': flag('isAnomalyDetected'),
    'periodicity': promise.getPeriodicity(),
    'module_file': file_name,
    'module_file_mtime': os.stat(file_name).st_mtime,
  })


def route_bang(promise_class, connection):
  """Makes sure that only one promise of a partition bangs, whoever wrote the base class."""
  name = '_GenericPromise__bang'
  for base in promise_class.__mro__:
    original = base.__dict__.get(name)
    if original is None:
      continue
    if hasattr(base, 'bang_through'):
      base.bang_through = staticmethod(connection.bang)
    else:
      def bang(self, message, original=original):
        if connection.may_bang():
          original(self, message)
      setattr(base, name, bang)
    return


def run(connection, remembered):
  request = connection.read()
  connection.write(pid=os.getpid())
  os.chdir(request['configuration']['partition-folder'])
  is_anomaly = request['anomaly']
  try:
    module = load(request, remembered)
    promise_class = check(module, request['name'])
    promise = promise_class(configuration(module, request, connection))
    tell_schedule(promise, connection)
    route_bang(promise_class, connection)
    promise.run(is_anomaly, is_anomaly and request['may_bang'])
  except Exception as error:
    connection.write(error='%s: %s' % (type(error).__name__, error), traceback=traceback.format_exc())


def path_of(plugin):
  """Returns the paths that a plugin puts before all others, which its first assignment must tell."""
  import ast
  with open(plugin, 'rb') as source:
    body = ast.parse(source.read()).body
  first = next(node for node in body if isinstance(node, ast.Assign))
  target = first.targets[0]
  if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Attribute):
    raise ValueError('the first assignment is not one to sys.path')
  return tuple(ast.literal_eval(first.value))


def path_line_of(source):
  """Returns the line of a plugin's text that tells its path; None when there is none of the usual form."""
  match = re.search(br'^sys\.path\[0:0\] *=.*$', source, re.MULTILINE)
  return match and match.group()


def warm_up(plugin):
  """Imports what all plugins with the path of this one import, and remembers it."""
  path = path_of(plugin)
  sys.path[0:0] = path
  from slapos.grid.promise import interface
  from slapos.grid.promise.generic import GenericPromise
  assert interface and GenericPromise
  del sys.path[0:len(path)]
  with open(plugin, 'rb') as source:
    return Remembered(path_line_of(source.read()))


def descriptor_from(control):
  """Receives one connection; None when nobody will send another."""
  size = socket.CMSG_SPACE(array.array('i').itemsize)
  data, ancillary, _, _ = control.recvmsg(1, size)
  for level, kind, content in ancillary:
    if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
      descriptors = array.array('i')
      descriptors.frombytes(content[:descriptors.itemsize])
      return descriptors[0]
  return None if not data else -1


def child(descriptor, control, remembered):
  """The life of one promise."""
  os.setsid()
  control.close()
  nothing = os.open(os.devnull, os.O_RDWR)
  os.dup2(nothing, 0)
  for number in signal.SIGCHLD, signal.SIGTERM, signal.SIGINT:
    signal.signal(number, signal.SIG_DFL)
  connection = Connection(descriptor)
  try:
    run(connection, remembered)
    logging.shutdown()
  except (EOFError, socket.error):
    pass


def kill_all(children):
  for pid in children:
    try:
      os.killpg(pid, signal.SIGKILL)
    except OSError:
      pass


def collect(children):
  while children:
    try:
      pid, _ = os.waitpid(-1, os.WNOHANG)
    except OSError as error:
      if error.errno == errno.EINTR:
        continue
      return
    if not pid:
      return
    if pid in children:
      children.discard(pid)
      # What a promise started ends with it.
      kill_all([pid])


def serve(setup):
  control = socket.socket(fileno=os.dup(0))
  sys.meta_path.append(Modules(setup['modules']))
  sys.argv = ['slapos-promise']
  remembered, error = None, None
  try:
    if setup['plugin']:
      remembered = warm_up(setup['plugin'])
  except Exception as failure:
    # Plugins are run all the same, and each tells what is wrong with it.
    error = '%s: %s' % (type(failure).__name__, failure)
  control.sendall(json.dumps({'ready': os.getpid(), 'error': error}).encode('utf-8') + b'\n')
  if hasattr(gc, 'freeze'):
    # What is here stays, and a collection in a child would copy its memory.
    gc.freeze()
  children = set()
  waker, wake = os.pipe()
  for end in waker, wake:
    os.set_blocking(end, False)
    os.set_inheritable(end, False)
  signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
  signal.signal(signal.SIGCHLD, lambda number, frame: None)
  while True:
    ready, _, _ = select.select([control, waker], [], [])
    if waker in ready:
      os.read(waker, 4096)
    collect(children)
    if control not in ready:
      continue
    descriptor = descriptor_from(control)
    if descriptor is None:
      # Whoever asked has ended, and so do the promises that it asked for.
      kill_all(children)
      return
    if descriptor < 0:
      continue
    pid = os.fork()
    if not pid:
      signal.set_wakeup_fd(-1)
      status = 1
      try:
        child(descriptor, control, remembered)
        status = 0
      finally:
        os._exit(status)
    children.add(pid)
    os.close(descriptor)


serve(setup)  # noqa: F821, given by whoever executes this
