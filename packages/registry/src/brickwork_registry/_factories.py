"""What can be built with: the values that a ``type`` may have besides a name."""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, FunctionType, MethodType

from ._describe import describe
from .errors import InvalidConfigError

_FACTORIES = (type, FunctionType, BuiltinFunctionType, MethodType)


def is_factory(value: object) -> bool:
    """Whether `value` is something to build with: a class, a function or a partial.

    An instance with ``__call__`` is none: ``type=nn.ReLU()`` is a mistake to be told.
    """
    if isinstance(value, _FACTORIES):
        return True
    functools = sys.modules.get("functools")  # nobody can have a partial without it
    return functools is not None and isinstance(value, functools.partial)


def wrong_type(kind: object) -> InvalidConfigError:
    """Make the error for a ``type`` that nothing can be built with."""
    allowed = "a name, an import path, a class, a function or a partial"
    return InvalidConfigError("type", allowed, describe(kind))
