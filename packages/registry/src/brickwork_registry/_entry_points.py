"""Entries that installed packages offer, without being imported.

A package offers an entry in its metadata::

    [project.entry-points."brickwork.initializers"]
    Pretrained = "brickwork_zoo:PretrainedInit"
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ._describe import describe
from ._factories import is_factory
from .errors import EntryPointError

# By group and name. Reading the metadata of all installed packages takes milliseconds, too long
# for every `name in registry`.
_cache: dict[str, dict[str, EntryPoint]] = {}


def find_entry_point(group: str, name: str, *, refresh: bool = False) -> EntryPoint | None:
    """Return the entry point of a name, of the first package on the path that offers it.

    With `refresh`, the metadata is read again, because a package may have been installed.
    """
    if refresh or group not in _cache:
        offered: dict[str, EntryPoint] = {}
        for entry_point in entry_points(group=group):
            offered.setdefault(entry_point.name, entry_point)
        _cache[group] = offered
    return _cache[group].get(name)


def offered_names(group: str) -> list[str]:
    """Return the names that were offered when the metadata was last read."""
    return list(_cache.get(group, ()))


def load(entry_point: EntryPoint, registry: str, scope: str) -> Any:
    """Import the class or function that an entry point refers to.

    Raises:
        EntryPointError: If the import fails, or gives something else.
    """
    try:
        target = entry_point.load()
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        raise EntryPointError(
            entry_point.name, registry, scope, entry_point.value, cause
        ) from error
    if not is_factory(target):
        cause = f"it must be a class, a function or a functools.partial, got {describe(target)}"
        raise EntryPointError(entry_point.name, registry, scope, entry_point.value, cause)
    return target
