"""Helpers that the builders of all layer types share."""

import inspect
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

from brickwork_registry import Registry, build_from_cfg, note_failure
from torch import nn

from ._typing import LayerConfig, LayerFactory


def resolve_config(
    cfg: LayerConfig, registry: Registry[type[nn.Module]]
) -> tuple[LayerFactory, dict[str, Any]]:
    """Return what the ``type`` of a config refers to, and a new dict of the other keys."""
    try:
        arguments = {**cfg}
        kind = arguments.pop("type")
    except (KeyError, TypeError):
        build_from_cfg(cfg, registry)  # raises the error that says what is wrong with `cfg`
        raise
    return registry.resolve(kind), arguments


def build_layer(
    registry: Registry[type[nn.Module]],
    factory: LayerFactory,
    arguments: Mapping[str, Any],
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Call a class or function with the arguments of a config and those of a builder's caller.

    Raises:
        TypeError: If both the config and the caller have an argument, or `factory` does not
            accept it.
    """
    merged = {**arguments, **kwargs} if kwargs else arguments
    if kwargs and len(merged) < len(arguments) + len(kwargs):
        name = next(name for name in kwargs if name in arguments)
        raise TypeError(
            f"{registry.name} {_name(factory)}: got multiple values for argument {name!r}: "
            f"{arguments[name]!r} from the config and {kwargs[name]!r} from the caller; remove it "
            "from the config"
        )
    try:
        return factory(*args, **merged)
    except Exception as error:
        note_failure(error, registry, {**merged, "type": factory}, factory)
        raise


@lru_cache(maxsize=1024)  # reading a signature takes longer than building a small layer
def accepts(factory: LayerFactory, name: str) -> bool:
    """Check whether a class or function may accept a keyword argument of this name."""
    if getattr(factory, "__init__", None) is nn.Module.__init__:
        return False  # its signature accepts any keyword argument, but the call does not
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return True
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


@lru_cache(maxsize=1024)
def first_parameter(factory: LayerFactory) -> str | None:
    """Return the name of the first parameter of a class or function, or None."""
    try:
        return next(iter(inspect.signature(factory).parameters), None)
    except (TypeError, ValueError):
        return None


def _name(factory: LayerFactory) -> str:
    while isinstance(factory, partial):
        factory = factory.func
    return getattr(factory, "__qualname__", repr(factory))
