"""A name that a registry does not have: the last places to look, then an error that helps."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from ._describe import describe
from ._entries import REGISTRIES, Entries
from ._entry_points import load, offered
from ._factories import is_factory
from ._suggest import closest, suggest
from ._typing import TYPE_CHECKING
from .errors import ImportPathError, NotRegisteredError

if TYPE_CHECKING:
    from typing import Any

# Registry → what to install → the module to import → names that come with it. A package's own
# entry points need no row; this is for what is not installed or not imported yet.
_OPERATORS = "mmcv with its compiled operators"
_PROVIDERS: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "attention": ((_OPERATORS, "mmcv.ops", ("MultiScaleDeformableAttention",)),),
    "conv layer": ((_OPERATORS, "mmcv.ops", ("DCN", "DCNv2", "SAC")),),
    "initializers": (("brickwork-zoo[torch]", "brickwork_zoo", ("Pretrained", "PretrainedInit")),),
    "model": (
        (
            "brickwork-models",
            "brickwork_models",
            ("AlexNet", "EfficientNetLite", "ResNet", "ResNeXt", "VGG"),
        ),
    ),
    "norm layer": ((_OPERATORS, "mmcv.ops", ("MMSyncBN",)),),
    "plugin layer": (
        (
            "brickwork-modules",
            "brickwork_modules",
            ("ContextBlock", "ConvModule", "GeneralizedAttention", "NonLocal2d"),
        ),
        (_OPERATORS, "mmcv.ops", ("CrissCrossAttention",)),
    ),
    "upsample layer": ((_OPERATORS, "mmcv.ops", ("carafe",)),),
}
_NAMES_SHOWN = 12


def last_resort(registry: Entries[Any], key: str) -> Any:
    """Find what a registry and the known entry points do not have, or say what to do.

    Args:
        registry: The registry that misses the key.
        key: The ``type`` of a config.

    Returns:
        The object that an import path names, or that a package offers which was installed only
        after the entry points were first listed.

    Raises:
        ImportPathError: If `key` is an import path that leads nowhere.
        EntryPointError: If a package offers it, but its import fails.
        NotRegisteredError: If there is no such thing.
    """
    if ":" in key:
        return _import(registry, key)
    place = registry.locate(key)
    if place is not None and (found := load(*place, fresh=True)) is not None:
        return found
    raise NotRegisteredError(key, registry.name, registry.scope, _hint(registry, key))


def _import(registry: Entries[Any], path: str) -> Any:
    module, _, attribute = path.partition(":")
    try:
        found: Any = import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
        if not is_factory(found):
            raise TypeError(f"it is no class, function or partial but {describe(found)}")
    except Exception as error:
        text = str(error)
        if isinstance(error, AttributeError) and (meant := suggest(attribute, dir(found))):
            text = f"{text}; {meant}"
        raise ImportPathError(
            path, registry.name, registry.scope, f"{type(error).__name__}: {text}"
        ) from error
    return found


def _hint(registry: Entries[Any], key: str) -> str:
    place = registry.locate(key)
    owner, name = place if place is not None else (None, key.rpartition(".")[2])
    hints = []
    if owner is None:
        scopes = sorted({f"{tree.scope!r}" for tree in _tree(registry)})
        hints.append(
            f"no registry of scope {key.rpartition('.')[0]!r} is there, only {', '.join(scopes)}: "
            "has the package of that name been imported?"
        )
    hints += _provided(registry, name)
    hints += _elsewhere(registry, name)
    if not hints:
        own = owner if owner is not None else registry
        names = [*own, *offered(own)]
        if meant := closest(name, names):
            hints.append(suggest(name, meant))
        elif not names:
            hints.append("it is empty: has the module that fills it been imported?")
        else:
            more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
            hints.append(f"it has {', '.join(map(repr, names[:_NAMES_SHOWN]))}{more}")
            hints.append("a class that is not registered: type='package.module:Class'")
    return "; ".join(hints)


def _provided(registry: Entries[Any], name: str) -> list[str]:
    """Say which known package would bring the name."""
    for distribution, module, names in _PROVIDERS.get(registry.name, ()):
        if name in names:
            if _is_there(module):
                return [f"it comes with {distribution}, which is installed: import {module} first"]
            return [f"it comes with another package, install {distribution}"]
    return []


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that would hold it
        return False


def _elsewhere(registry: Entries[Any], name: str) -> list[str]:
    """Say which other registries have the very name, and how to reach it if they can be."""
    tree = _tree(registry)
    hints = [
        f"the registry of scope {other.scope!r} has it: write '{_key(other, name)}'"
        for other in tree
        if other is not registry and name in other.module_dict
    ]
    if not hints:
        others = sorted(
            {f"{one.name!r}" for one in REGISTRIES if one not in tree and name in one.module_dict}
        )
        if others:
            hints.append(f"the {' and the '.join(others)} registry has an entry of that name")
    return hints


def _tree(registry: Entries[Any]) -> list[Entries[Any]]:
    """List all registries of a tree, the root first."""
    root = registry
    while root.parent is not None:
        root = root.parent
    found = [root]
    for one in found:  # grows while it is walked
        found.extend(one.children.values())
    return found


def _key(registry: Entries[Any], name: str) -> str:
    """Write the key that reaches an entry from anywhere in its tree."""
    if registry.parent is None or registry.parent.parent is None:
        return f"{registry.scope}.{name}"
    return _key(registry.parent, f"{registry.scope}.{name}")
