"""Hints for names that are not registered and configs without a type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any

from ._suggest import closest, suggest
from .errors import MissingTypeError

_MAX_NAMES = 12


def names_hint(name: str, names: list[str]) -> str:
    """Return the closest names, or the first names if none is close."""
    if suggestion := suggest(name, names):
        return suggestion
    if not names:
        return "the registry is empty: import the module that fills it"
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return (
        f"registered names: {', '.join(map(repr, names[:_MAX_NAMES]))}{more}; for a class that is "
        "not registered, use type='package.module:Class'"
    )


def unknown_scope_hint(scope: str, scopes: Iterable[str]) -> str:
    """Return a hint for a scope that does not exist."""
    known = ", ".join(sorted(map(repr, scopes)))
    return f"scope {scope!r} is unknown, known scopes: {known}; import the package of that scope"


def provider_hint(distribution: str, module: str) -> str:
    """Return a hint to import or install the package that registers a name."""
    if _is_importable(module):
        return f"{distribution} provides it and is installed: import {module} first"
    return f"install {distribution}, which provides it"


def _is_importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def missing_type_error(
    registry: str, cfg: Mapping[str, Any], default_args: Mapping[str, Any] | None = None
) -> MissingTypeError:
    """Return the error for a config without a ``type``, which names a key that may be meant."""
    config = f"{dict(cfg)!r}"
    if default_args is not None:
        config = f"{config} and the defaults {dict(default_args)!r}"
    keys = closest("type", [key for key in cfg if isinstance(key, str)])
    return MissingTypeError(registry, config, f"is {keys[0]!r} a typo of 'type'?" if keys else "")
