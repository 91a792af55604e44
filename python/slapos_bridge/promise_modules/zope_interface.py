"""The little of `zope.interface` that promise plugins use, for releases that bring none."""


class InterfaceClass(type):
  """The type of interfaces, which know what implements them."""

  def implementedBy(cls, implementation):
    for base in implementation.__mro__:
      for interface in base.__dict__.get('__implemented_interfaces__', ()):
        if issubclass(interface, cls):
          return True
    return False

  def providedBy(cls, instance):
    return cls.implementedBy(type(instance))


Interface = InterfaceClass('Interface', (object,), {'__doc__': 'The base of all interfaces.'})


class Attribute(object):
  """An attribute that an interface asks for."""

  def __init__(self, name='', doc=''):
    self.__name__ = name
    self.__doc__ = doc


def classImplements(cls, *interfaces):
  cls.__implemented_interfaces__ = tuple(cls.__dict__.get('__implemented_interfaces__', ())) + interfaces


def implementer(*interfaces):
  """Declares that a class implements interfaces."""
  def declare(cls):
    classImplements(cls, *interfaces)
    return cls
  return declare


def implementedBy(cls):
  return [interface for base in cls.__mro__ for interface in base.__dict__.get('__implemented_interfaces__', ())]


def providedBy(instance):
  return implementedBy(type(instance))
