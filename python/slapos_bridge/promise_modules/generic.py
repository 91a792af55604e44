"""`slapos.grid.promise.generic`, for releases that bring none: the base class of promise plugins.

A promise logs what it senses. Its log is its history: every run is one transaction, and whether the promise fails is
read from the last ones.
"""
import abc
import datetime
import io
import logging
import os
import random
import re
import time
import traceback

from zope.interface import implementer

from slapos.grid.promise import interface

PROMISE_STATE_FOLDER_NAME = '.slapgrid/promise'
PROMISE_RESULT_FOLDER_NAME = '.slapgrid/promise/result'
PROMISE_LOG_FOLDER_NAME = '.slapgrid/promise/log'
PROMISE_PARAMETER_NAME = 'extra_config_dict'

ERROR_LEVEL = ('CRITICAL', 'ERROR')

DATE_FORMAT = '%Y-%m-%d %H:%M:%S'
RESULT_DATE_FORMAT = '%Y-%m-%dT%H:%M:%S+0000'

# How much of a log is looked at, from its end.
LOOK_BACK = 4 << 20

_match_record = re.compile(
  r'(\d{4}-\d{2}-\d{2}\s+\d{2}:\d{2}:\d{2})\s+-?\s*(\w+)\s+-?\s+(\d+-\d{3})\s+-?\s*(.*)').match


def _utc_now():
  return datetime.datetime(*time.gmtime()[:6])


class BaseResult(object):

  def __init__(self, problem=False, message=None, date=None):
    self._problem = problem
    if message is not None and len(message) > 5000:
      message = '...' + message[-5000:]
    self._message = message
    self._date = _utc_now() if date is None else date

  @staticmethod
  def type():
    return 'Base Result'

  def hasFailed(self):
    return self._problem

  @property
  def message(self):
    return self._message

  @property
  def date(self):
    return self._date


class TestResult(BaseResult):

  @staticmethod
  def type():
    return 'Test Result'


class AnomalyResult(BaseResult):

  @staticmethod
  def type():
    return 'Anomaly Result'


class EmptyResult(BaseResult):

  def __init__(self):
    super(EmptyResult, self).__init__()

  @staticmethod
  def type():
    return 'Empty Result'


class PromiseQueueResult(object):
  """A result together with the promise that it is of."""

  def __init__(self, path=None, name=None, title=None, item=None, execution_time=0):
    self.path = path
    self.name = name
    self.title = title
    self.item = EmptyResult() if item is None else item
    self.execution_time = execution_time

  def serialize(self):
    return {
      'title': self.title,
      'name': self.name,
      'path': self.path,
      'execution-time': self.execution_time,
      'result': {
        'type': self.item.type(),
        'failed': self.item.hasFailed(),
        'date': self.item.date.strftime(RESULT_DATE_FORMAT),
        'message': self.item.message,
      },
    }

  def load(self, data):
    result = data['result']
    for kind in TestResult, AnomalyResult:
      if kind.type() == result['type']:
        break
    else:
      raise ValueError('Unknown result type: %r' % (result['type'],))
    date = datetime.datetime.strptime(result['date'], RESULT_DATE_FORMAT)
    self.item = kind(result['failed'], result['message'], date)
    self.title, self.name, self.path = data['title'], data['name'], data['path']
    self.execution_time = data['execution-time']


def _is_true(text):
  text = str(text).lower()
  if text in ('true', 'yes', 'on', '1'):
    return True
  if text in ('false', 'no', 'off', '0'):
    return False
  raise ValueError('%r is neither true nor false' % text)


def _transactions(text):
  """The transactions of a log, oldest first, each with its id and its records."""
  transactions = []
  for line in text.split('\n'):
    record = _match_record(line)
    if record is None:
      if line and transactions:
        transactions[-1][1][-1]['message'] += '\n' + line
      continue
    date, level, transaction, message = record.groups()
    if not transactions or transactions[-1][0] != transaction:
      transactions.append((transaction, []))
    transactions[-1][1].append(
      {'date': datetime.datetime.strptime(' '.join(date.split()), DATE_FORMAT), 'status': level, 'message': message})
  for _, records in transactions:
    for record in records:
      record['message'] = record['message'].strip()
  return transactions


# Subclasses inherit the declaration: a plugin that forgets its own works here, as the porting tutorial's must.
@implementer(interface.IPromise)
class GenericPromise(abc.ABC):

  # Set by whoever runs the promise; takes the message and returns whether it was sent.
  bang_through = None

  def __init__(self, config):
    take = config.pop
    self.__config = config
    self.__log_folder = take('log-folder', None)
    self.__partition_folder = take('partition-folder', None)
    self.__debug = take('debug', True)
    self.__name = take('name', None)
    self.__path = take('path', None)
    self.__queue = take('queue', None)
    self.setPeriodicity(take('periodicity', 2))
    bang_on_failure = take('bang-on-failure', None)
    if bang_on_failure:
      self.__allow_bang = _is_true(bang_on_failure)
    else:
      # A plugin may have said so before it called this.
      self.__allow_bang = getattr(self, '_GenericPromise__allow_bang', True)
    self.__is_tested = True
    self.__is_anomaly_detected = True
    self.__transaction = '%d-%d' % (time.time(), random.randint(100, 999))
    for value, what in (
        (self.__queue, 'Queue object'),
        (self.__name, 'Monitor name'),
        (self.__path, 'Promise path'),
        (self.__partition_folder, 'Monitor partition folder')):
      if value is None:
        raise ValueError('%s is not set in configuration' % what)
    self.__title = os.path.splitext(self.__name)[0]
    self.__memory = None
    self.__log_file = None
    self.__open_log()

  def __open_log(self):
    if self.__log_folder is None:
      self.__memory = io.StringIO()
      handler = logging.StreamHandler(self.__memory)
    else:
      if not os.path.isdir(self.__log_folder):
        os.makedirs(self.__log_folder)
      self.__log_file = os.path.join(self.__log_folder, self.__title + '.log')
      handler = logging.FileHandler(self.__log_file)
    handler.setFormatter(logging.Formatter(
      '%(asctime)s - %(levelname)s - ' + self.__transaction + ' - %(message)s', datefmt=DATE_FORMAT))
    self.logger = logging.getLogger(self.__name)
    for earlier in list(self.logger.handlers):
      earlier.close()
      self.logger.removeHandler(earlier)
    self.logger.addHandler(handler)
    self.logger.setLevel(logging.DEBUG if self.__debug else logging.INFO)

  def getConfig(self, key, default=None):
    return self.__config.get(key, default)

  def setConfig(self, key, value):
    self.__config[key] = value

  def getTitle(self):
    return self.__title

  def getName(self):
    return self.__name

  def getLogFile(self):
    return self.__log_file

  def getLogFolder(self):
    return self.__log_folder

  def getPartitionFolder(self):
    return self.__partition_folder

  def getPromiseFile(self):
    return self.__path

  def setPeriodicity(self, minute):
    if minute <= 0:
      raise ValueError('Cannot set promise periodicity to a value less than 1')
    self.__periodicity = minute

  def getPeriodicity(self):
    return self.__periodicity

  def setTestLess(self):
    self.__is_tested = False

  def isTested(self):
    return self.__is_tested

  def setAnomalyLess(self):
    self.__is_anomaly_detected = False

  def isAnomalyDetected(self):
    return self.__is_anomaly_detected

  def allowBang(self, allow=True):
    self.__allow_bang = allow

  def __bang(self, message):
    has_target = all(self.__config.get(key) for key in ('master-url', 'computer-id', 'partition-id'))
    if self.__allow_bang and has_target and self.bang_through is not None and self.bang_through(message):
      self.logger.info('Bang with message %r.' % message)

  def getLastPromiseResultList(self, latest_minute=0, result_count=1, only_failure=False):
    """Returns the last runs, the most recent first, each as a list of dictionaries with date, status and message.

    Runs older than `latest_minute` minutes are left out, unless it is 0.
    """
    if self.__log_file is None:
      text = self.__memory.getvalue()
    else:
      text = self.__read_log()
    oldest = None
    if latest_minute > 0 and self.__log_file is not None:
      oldest = datetime.datetime.now() - datetime.timedelta(minutes=latest_minute)
    result_list = []
    for _, records in reversed(_transactions(text)):
      if len(result_list) >= result_count:
        break
      if oldest is not None:
        recent = [record for record in records if record['date'] > oldest]
        if not recent:
          break
        records = recent
      if only_failure:
        records = [record for record in records if record['status'] in ERROR_LEVEL]
      result_list.append(records)
    return [records for records in result_list if records]

  def __read_log(self):
    try:
      with open(self.__log_file, 'rb') as log:
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - LOOK_BACK))
        return log.read().decode('utf-8', 'replace')
    except OSError:
      return ''

  def __judge(self, kind, result_count, failure_amount, latest_minute):
    last = self.getLastPromiseResultList(latest_minute, result_count)
    if not last:
      return kind(False, 'No result found!')
    message = '\n'.join(record['message'] for record in last[0]).strip()
    has_error = lambda records: any(record['status'] in ERROR_LEVEL for record in records)
    if not has_error(last[0]):
      return kind(False, message)
    failures = 1
    for records in last[1:]:
      if failures >= failure_amount:
        break
      failures += has_error(records)
    return kind(failures == failure_amount, message)

  def _test(self, result_count=1, failure_amount=1, latest_minute=0):
    return self.__judge(TestResult, result_count, failure_amount, latest_minute)

  def _anomaly(self, result_count=1, failure_amount=1, latest_minute=0):
    return self.__judge(AnomalyResult, result_count, failure_amount, latest_minute)

  @abc.abstractmethod
  def sense(self):
    """Looks at the thing that is promised and logs what it finds."""

  def test(self):
    return self._test()

  def anomaly(self):
    return self._anomaly()

  def run(self, check_anomaly=False, can_bang=True):
    """Senses, judges, and gives the result to whoever runs the promise."""
    kind = AnomalyResult if check_anomaly else TestResult
    if not self.__is_tested and not self.__is_anomaly_detected:
      self.__send(kind(True, "It's not allowed to disable both Test and Anomaly in promise!"))
      return
    if not (self.__is_anomaly_detected if check_anomaly else self.__is_tested):
      self.__queue.put_nowait(PromiseQueueResult())
      return
    try:
      self.sense()
    except Exception as error:
      self.logger.error(str(error))
    try:
      result = self.anomaly() if check_anomaly else self.test()
      if result is None:
        raise ValueError("Promise %s method returned 'None'" % ('anomaly' if check_anomaly else 'test'))
    except Exception as error:
      result = kind(True, str(error))
    else:
      if isinstance(result, AnomalyResult) and result.hasFailed() and can_bang:
        try:
          self.__bang('Promise %s is failing' % self.__title)
        except Exception:
          self.logger.warning(traceback.format_exc())
    self.__send(result)

  def __send(self, item):
    self.__queue.put_nowait(PromiseQueueResult(self.__path, self.__name, self.__title, item))
