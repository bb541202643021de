"""Building in the default scope, or in the one that a config names."""

import contextlib
import sys
from collections.abc import Mapping
from typing import Any

import brickwork_registry
from brickwork_base import Sequential

__all__ = [
    "build_from_cfg",
    "build_model_from_cfg",
    "build_runner_from_cfg",
    "build_scheduler_from_cfg",
]


def _switched(
    registry: brickwork_registry.Registry[Any], scope: str | None
) -> contextlib.AbstractContextManager[Any]:
    if hasattr(registry, "switch_scope_and_registry"):
        switched: contextlib.AbstractContextManager[Any] = registry.switch_scope_and_registry(scope)
        return switched
    return contextlib.nullcontext(registry)  # one of ours


def build_from_cfg(
    cfg: Mapping[str, Any],
    registry: brickwork_registry.Registry[Any],
    default_args: Mapping[str, Any] | None = None,
) -> Any:
    """Build the object that a config describes, in the default scope.

    Args:
        cfg: As `brickwork_registry.build_from_cfg` takes it; `_scope_` names another scope.
        registry: A registry of the tree that is looked in.
        default_args: Arguments, or the `type`, for the keys that `cfg` lacks.

    Returns:
        What the class or function returns; of a class that mmengine keeps one instance of by name
        (a `ManagerMixin`), that instance.
    """
    if not isinstance(cfg, Mapping):
        return brickwork_registry.build_from_cfg(cfg, registry, default_args)  # says what is wrong
    with _switched(registry, cfg.get("_scope_")) as scoped:
        if "_scope_" in cfg:
            cfg = {key: value for key, value in cfg.items() if key != "_scope_"}
        return brickwork_registry.build_from_cfg(_managed(cfg, scoped), scoped, default_args)


def _managed(
    cfg: Mapping[str, Any], registry: brickwork_registry.Registry[Any]
) -> Mapping[str, Any]:
    """Let a class of which mmengine keeps instances by name be asked for one."""
    manager = sys.modules.get("mmengine.utils.manager")  # there are no such classes without it
    if manager is None or "type" not in cfg:
        return cfg
    kind = cfg["type"]
    target: Any = registry.get(kind) if isinstance(kind, str) else kind
    managed = isinstance(target, type) and issubclass(target, manager.ManagerMixin)
    if not managed:
        return cfg
    return {**cfg, "type": target.get_instance}


def build_model_from_cfg(
    cfg: Any,
    registry: brickwork_registry.Registry[Any],
    default_args: Mapping[str, Any] | None = None,
) -> Any:
    """Build a model from a config, or a `Sequential` from a list of them.

    Args:
        cfg: The config or the list.
        registry: As for `build_from_cfg`.
        default_args: As for `build_from_cfg`.

    Returns:
        The model.
    """
    if isinstance(cfg, list):
        return Sequential(*(build_from_cfg(one, registry, default_args) for one in cfg))
    return build_from_cfg(cfg, registry, default_args)


def build_runner_from_cfg(
    cfg: Mapping[str, Any], registry: brickwork_registry.Registry[Any]
) -> Any:
    """Make a runner by its class's `from_cfg`.

    Args:
        cfg: The config of a whole run; `runner_type` names the class, `Runner` by default.
        registry: A registry of runners.

    Returns:
        The runner.
    """
    options = dict(cfg) if type(cfg) is dict else cfg.copy()  # type: ignore[attr-defined]  # a Config
    with _switched(registry, options.pop("_scope_", None)) as scoped:
        return scoped.resolve(options.get("runner_type", "Runner")).from_cfg(options)


def build_scheduler_from_cfg(
    cfg: Mapping[str, Any],
    registry: brickwork_registry.Registry[Any],
    default_args: Mapping[str, Any] | None = None,
) -> Any:
    """Make a scheduler of an optimizer's parameters.

    Args:
        cfg: The config; with `convert_to_iter_based`, what it says in epochs of `epoch_length`
            iterations is turned into iterations.
        registry: A registry of schedulers.
        default_args: As for `build_from_cfg`.

    Returns:
        The scheduler.
    """
    options = {**(default_args or {}), **cfg}
    with _switched(registry, options.pop("_scope_", None)) as scoped:
        if options.pop("convert_to_iter_based", False):
            return scoped.resolve(options.pop("type")).build_iter_from_epoch(**options)
        options.pop("epoch_length", None)
        return build_from_cfg(options, scoped)
