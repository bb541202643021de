"""Factories: the classes, functions and partials that objects can be built with."""

from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType

from ._describe import describe
from .errors import InvalidConfigError

_FACTORIES = (type, FunctionType, BuiltinFunctionType, MethodType, partial)


def is_factory(value: object) -> bool:
    """Check whether `value` is a class, a function or a `functools.partial`.

    An instance with ``__call__`` is not accepted: ``type=nn.ReLU()`` is a mistake.
    """
    return isinstance(value, _FACTORIES)


def invalid_type(kind: object) -> InvalidConfigError:
    """Return the error for a ``type`` of the wrong kind."""
    allowed = "a name, an import path, a class, a function or a functools.partial"
    return InvalidConfigError("type", allowed, describe(kind))
