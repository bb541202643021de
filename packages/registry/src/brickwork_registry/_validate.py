"""Checks of a config that build nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._config_paths import Path, format_path, items
from ._describe import describe, full_name
from ._factories import is_factory
from ._missing import missing_type_error
from ._registry import REGISTRIES, Registry
from ._signatures import arguments_of
from ._suggest import suggest
from .errors import RegistryError


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with a config.

    Attributes:
        path: Path within the config, for example ``'backbone.stages[2].depth'``; empty for the
            config itself.
        message: What is wrong, and what would be right.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path or 'config'}: {self.message}"


def validate(cfg: Mapping[str, Any], registry: Registry[Any]) -> list[Problem]:
    """Check types and arguments of a config and of all configs in it against signatures.

    Nothing is built. A nested dict with a ``type`` counts as a config. If `registry` has the
    type, the config must be complete. If only another registry has the type, missing arguments are
    not reported, because its builder may add them (``conv_cfg`` and the like).
    A package is imported only if a ``type`` in the config is the name of its entry point.

    Args:
        cfg: The config, as for `build_from_cfg`.
        registry: The registry that it is meant for.

    Returns:
        All problems, in the order of the config; empty if there are none.

    Example:
        >>> MODELS = Registry('models')
        >>> @MODELS.register_module()
        ... class Net:
        ...     def __init__(self, depth, stem=None): ...
        >>> for problem in validate(dict(type='Net', stem=dict(type='Nett', depth=1)), MODELS):
        ...     print(problem)
        config: Net misses the argument 'depth'
        stem.type: 'Nett' is not in any registry; did you mean 'Net'?
    """
    if not isinstance(cfg, Mapping):
        return [Problem("", f"must be a dict, got {describe(cfg)}")]
    nested = _nested_problems(cfg, registry, ())
    if "type" not in cfg:
        return [Problem("", str(missing_type_error(registry.name, cfg))), *nested]
    try:
        target = registry.resolve(cfg["type"])
    except RegistryError as error:
        return [Problem("type", str(error)), *nested]
    return [*_argument_problems(cfg, target, (), complete=True), *nested]


def _nested_problems(value: object, registry: Registry[Any], path: Path) -> list[Problem]:
    """Check all configs inside a value."""
    problems = []
    for key, item in items(value):
        item_path = (*path, key)
        if isinstance(item, Mapping) and "type" in item:
            problems += _config_problems(item, registry, item_path)
        problems += _nested_problems(item, registry, item_path)
    return problems


def _config_problems(cfg: Mapping[str, Any], registry: Registry[Any], path: Path) -> list[Problem]:
    """Check type and arguments of a nested config."""
    kind = cfg["type"]
    if is_factory(kind):
        return _argument_problems(cfg, kind, path, complete=False)
    if not isinstance(kind, str):
        return []  # a dict of data that happens to have this key
    type_path = format_path((*path, "type"))
    others = sorted((r for r in REGISTRIES if r is not registry), key=lambda r: r.name)
    try:
        if ":" in kind:
            return _argument_problems(cfg, registry.resolve(kind), path, complete=False)
        target = registry.get(kind)
        if target is not None:
            return _argument_problems(cfg, target, path, complete=True)
        targets = [target for other in others if (target := other.get(kind)) is not None]
    except RegistryError as error:
        return [Problem(type_path, str(error))]
    if not targets:
        suggestion = suggest(kind, [*registry, *(name for other in others for name in other)])
        message = f"{kind!r} is not in any registry"
        return [Problem(type_path, f"{message}; {suggestion}" if suggestion else message)]
    # The enclosing class decides which registry it builds from: assume the one that fits best.
    return min((_argument_problems(cfg, t, path, complete=False) for t in targets), key=len)


def _argument_problems(
    cfg: Mapping[str, Any], target: Any, path: Path, *, complete: bool
) -> list[Problem]:
    """Compare the keys of a config with the arguments of what it builds."""
    arguments = arguments_of(target)
    if arguments is None:
        return []
    problems = []
    target_name = full_name(target).rpartition(".")[2]
    if complete:
        problems += [
            Problem(format_path(path), f"{target_name} misses the argument {name!r}")
            for name in arguments.required
            if name not in cfg
        ]
    if arguments.any_name:
        return problems
    valid = arguments.names
    for name in cfg:
        if name != "type" and name not in valid:
            message = f"{target_name} has no argument {name!r}"
            if suggestion := suggest(str(name), valid):
                message += f": {suggestion}"
            message += f"; its arguments are {', '.join(valid)}" if valid else "; it has none"
            problems.append(Problem(format_path((*path, name)), message))
    return problems
