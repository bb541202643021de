"""Representations of objects in error messages."""

from __future__ import annotations

import sys
from typing import Any


def describe(value: object) -> str:
    """Return the representation of an invalid value, shortened, and its type."""
    text = repr(value)
    if len(text) > 200:
        text = f"{text[:200]}..."
    return f"{text} of type {type(value).__name__}"


def full_name(target: Any) -> str:
    """Return the name of a class, function or partial with its module.

    Example: ``'torch.nn.modules.conv.Conv2d'``.
    """
    name = getattr(target, "__qualname__", None)
    if name is None:  # a partial
        return f"partial of {full_name(target.func)}" if hasattr(target, "func") else repr(target)
    return f"{target.__module__}.{name}" if target.__module__ else name


def origin(target: Any) -> str:
    """Return the name of a class, function or partial with the file and line that define it."""
    import inspect  # slow to import

    name = full_name(target)
    target = inspect.unwrap(getattr(target, "func", target))
    try:
        file = inspect.getsourcefile(target) or inspect.getfile(target)
        line = inspect.getsourcelines(target)[1]
    except (OSError, TypeError, SystemError):
        # Built in, or defined in a prompt. SystemError: inspect parses the source, which can fail
        # in CPython when several threads do it at once.
        module = sys.modules.get(getattr(target, "__module__", None) or "")
        return f"{name} ({getattr(module, '__file__', None) or 'no source file'})"
    return f"{name} ({file}:{line})"
