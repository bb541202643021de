"""Registries: build objects from config dicts, with scopes and entry points.

No dependencies.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from . import errors as errors
from ._registry import Registry as Registry
from ._registry import build_from_cfg as build_from_cfg
from ._registry import note_failure as note_failure

if TYPE_CHECKING:
    from ._suggest import suggest as suggest
    from ._validate import Problem as Problem
    from ._validate import validate as validate

__version__ = "0.1.0"

__all__ = [
    "Problem",
    "Registry",
    "build_from_cfg",
    "errors",
    "note_failure",
    "suggest",
    "validate",
]

# Their modules import dataclasses, difflib and inspect, which take longer than the rest of the
# package, and programs start without them.
_LAZY = {
    "Problem": "_validate",
    "suggest": "_suggest",
    "validate": "_validate",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
