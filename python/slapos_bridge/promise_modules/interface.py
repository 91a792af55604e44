"""`slapos.grid.promise.interface`, for releases that bring none: what a promise plugin has to have."""
from zope.interface import Interface


class IPromise(Interface):
  """A promise: a check of something that a partition is to keep true."""

  def __init__(config):
    """`config` is a dictionary with the parameters of the promise and of who runs it."""

  def sense():
    """Looks at the thing and logs what it finds; an error that is logged or raised means that it is not true."""

  def test():
    """Returns a TestResult from what was logged."""

  def anomaly():
    """Returns an AnomalyResult from what was logged, over a longer time."""
