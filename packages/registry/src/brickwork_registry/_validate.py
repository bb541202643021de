"""Check a config without building anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._describe import describe, full_name
from ._entries import REGISTRIES
from ._factories import is_factory
from ._failures import misspelt_type
from ._paths import Path, items, join
from ._registry import Registry
from ._signatures import arguments
from ._suggest import suggest
from .errors import MissingTypeError, RegistryError


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a config.

    Args:
        path: Where, from the top of the config: ``'backbone.stages[2].depth'``; empty for the
            config itself.
        message: What is wrong, and what would be right.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path or 'the config'}: {self.message}"


def validate(cfg: Mapping[str, Any], registry: Registry[Any]) -> list[Problem]:
    """Check the types and arguments of a config, and of all configs in it, against signatures.

    A nested dict with a ``type`` is taken for a config. Its type may be in any registry there
    is, as the class that takes it decides; one of the given registry must be complete, of
    another one (``conv_cfg`` and the like) the class may fill arguments in, so only those that
    are there are checked. Nothing is built; a package is imported if only its entry point knows
    a name.

    Args:
        cfg: The config, as for `build_from_cfg`.
        registry: The registry that it would be built from.

    Returns:
        All the problems, in the order of the config; empty if there are none.

    Example:
        >>> MODELS = Registry('models')
        >>> @MODELS.register_module()
        ... class Net:
        ...     def __init__(self, depth, stem=None): ...
        >>> for problem in validate(dict(type='Net', stem=dict(type='Nett', depth=1)), MODELS):
        ...     print(problem)
        the config: Net lacks the argument 'depth'
        stem.type: 'Nett' is in no registry; did you mean 'Net'?
    """
    if not isinstance(cfg, Mapping):
        return [Problem("", f"must be a dict, but is {describe(cfg)}")]
    if "type" not in cfg:
        missing = MissingTypeError(registry.name, f"{dict(cfg)!r}", misspelt_type(cfg))
        return [Problem("", str(missing)), *_parts(cfg, registry, ())]
    try:
        target = registry.resolve(cfg["type"])
    except RegistryError as error:
        return [Problem("type", str(error)), *_parts(cfg, registry, ())]
    return [*_arguments(cfg, target, (), complete=True), *_parts(cfg, registry, ())]


def _parts(value: object, registry: Registry[Any], path: Path) -> list[Problem]:
    """Check all configs below a place."""
    problems = []
    for key, part in items(value):
        where = (*path, key)
        if isinstance(part, Mapping) and "type" in part:
            problems += _nested(part, registry, where)
        problems += _parts(part, registry, where)
    return problems


def _nested(cfg: Mapping[str, Any], registry: Registry[Any], path: Path) -> list[Problem]:
    kind = cfg["type"]
    if is_factory(kind):
        return _arguments(cfg, kind, path, complete=False)
    if not isinstance(kind, str):
        return []  # a dict of data that happens to have a key of this name
    place = (*path, "type")
    try:
        if ":" in kind:
            return _arguments(cfg, registry.resolve(kind), path, complete=False)
        own = registry.get(kind)
        if own is not None:
            return _arguments(cfg, own, path, complete=True)
        others = sorted(
            (one for one in REGISTRIES if one is not registry), key=lambda one: one.name
        )
        found = [target for one in others if (target := one.get(kind)) is not None]
    except RegistryError as error:
        return [Problem(join(place), str(error))]
    if not found:
        meant = suggest(kind, [*registry, *(name for one in others for name in one)])
        return [
            Problem(join(place), f"{kind!r} is in no registry" + (f"; {meant}" if meant else ""))
        ]
    # Which registry the enclosing class will use is its own affair: the kindest reading counts.
    return min((_arguments(cfg, one, path, complete=False) for one in found), key=len)


def _arguments(cfg: Mapping[str, Any], target: Any, path: Path, *, complete: bool) -> list[Problem]:
    takes = arguments(target)
    if takes is None:
        return []
    problems = []
    name_of_target = full_name(target).rpartition(".")[2]
    if complete:
        problems += [
            Problem(join(path), f"{name_of_target} lacks the argument {name!r}")
            for name in takes.required
            if name not in cfg
        ]
    if takes.any_name:
        return problems
    for name in cfg:
        if name != "type" and name not in takes.names:
            meant = suggest(str(name), takes.names)
            problems.append(
                Problem(
                    join((*path, name)),
                    f"{name_of_target} has no argument {name!r}"
                    + (f": {meant}" if meant else "")
                    + (f"; it has {', '.join(takes.names)}" if takes.names else "; it has none"),
                )
            )
    return problems
