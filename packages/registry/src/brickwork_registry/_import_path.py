"""Import paths as the ``type`` of a config: ``'package.module:Class'``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ._describe import describe
from ._factories import is_factory
from ._suggest import suggest


def import_path(path: str) -> Any:
    """Return the class or function that an import path refers to.

    Raises:
        ImportError: If the module cannot be imported.
        AttributeError: If the module has no such attribute.
        TypeError: If it is something else.
    """
    module, _, attributes = path.partition(":")
    target: Any = import_module(module)
    for name in attributes.split("."):
        try:
            target = getattr(target, name)
        except AttributeError as error:
            suggestion = suggest(name, dir(target))
            raise AttributeError(f"{error}; {suggestion}" if suggestion else str(error)) from None
    if not is_factory(target):
        raise TypeError(
            f"{path} must be a class, a function or a functools.partial, got {describe(target)}"
        )
    return target
