"""What installed packages offer to a registry, looked at only when a name is missing.

A package offers an entry in its metadata, without being imported::

    [project.entry-points."brickwork.initializers"]
    Pretrained = "brickwork_zoo:PretrainedInit"
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from ._describe import describe
from ._typing import TYPE_CHECKING
from .errors import EntryPointError, InvalidConfigError

if TYPE_CHECKING:
    from typing import Any

    from ._entries import Entries

# By group. Listing reads the metadata of every installed package, some milliseconds, which a
# program that asks `name in registry` in a loop should pay once.
_listed: dict[str, dict[str, EntryPoint]] = {}


def offered(registry: Entries[Any], *, fresh: bool = False) -> dict[str, EntryPoint]:
    """List what installed packages offer to a registry.

    Args:
        registry: The registry.
        fresh: Look again, in case something was installed since the last look.

    Returns:
        The entry points by name; the first of a name wins, as for imports.
    """
    group = registry.entry_point_group
    if fresh or group not in _listed:
        found: dict[str, EntryPoint] = {}
        for entry_point in entry_points(group=group):
            found.setdefault(entry_point.name, entry_point)
        _listed[group] = found
    return _listed[group]


def load(registry: Entries[Any], name: str, *, fresh: bool = False) -> Any:
    """Import and register the entry that an installed package offers under a name.

    Args:
        registry: The registry that misses the name.
        name: The name, without a scope.
        fresh: Look again at what is installed.

    Returns:
        The object; None if no package offers the name.

    Raises:
        EntryPointError: If a package offers it, but its import fails.
    """
    entry_point = offered(registry, fresh=fresh).get(name)
    if entry_point is None:
        return None
    try:
        found = entry_point.load()
        registered = registry.module_dict.get(name)
        if registered is not None:  # the import itself has registered the name
            return registered
        registry.register_module(name, module=found)
    except Exception as error:
        # Offered by a package that is there, so this is no plain miss: say why.
        if isinstance(error, InvalidConfigError):
            cause = f"it is no class or function but {describe(found)}"
        else:
            cause = f"{type(error).__name__}: {error}"
        raise EntryPointError(
            name, registry.name, registry.scope, entry_point.value, cause
        ) from error
    return found
