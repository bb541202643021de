"""From a config to a layer: what the builders of all families share."""

import inspect
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

from brickwork_registry import Registry, build_from_cfg
from torch import nn

from ._typing import LayerConfig, LayerFactory


def split(
    cfg: LayerConfig, registry: Registry[type[nn.Module]]
) -> tuple[LayerFactory, dict[str, Any]]:
    """Take a config apart.

    Args:
        cfg: The config of a layer. It stays as it is.
        registry: Where its ``type`` is looked up.

    Returns:
        What makes the layer, and the arguments that the config has for it, to be changed freely.

    Raises:
        TypeError: If `cfg` is no mapping, or its type nothing to build with.
        KeyError: If it has no ``type``, or the registry no such entry.
    """
    try:
        options = {**cfg}
        kind = options.pop("type")
    except (KeyError, TypeError):
        build_from_cfg(cfg, registry)  # fails on the same, and knows how to say it
        raise
    return registry.resolve(kind), options


def construct(
    registry: Registry[type[nn.Module]],
    factory: LayerFactory,
    options: Mapping[str, Any],
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Make a layer of what its config and its builder's caller say.

    Args:
        registry: Whose entry `factory` is; errors name it.
        factory: What makes the layer.
        options: The arguments from the config.
        args: The positional arguments from the caller.
        kwargs: The keyword arguments from the caller.

    Returns:
        The layer.

    Raises:
        TypeError: If an argument comes from both sides, or does not fit the constructor.
    """
    if kwargs:
        for name in kwargs.keys() & options.keys():
            raise TypeError(
                f"{registry.name} {_name(factory)}: got multiple values for argument {name!r}: "
                f"the config says {options[name]!r}, the caller of the builder {kwargs[name]!r}; "
                f"take it out of the config"
            )
        options = {**kwargs, **options}
    return build_from_cfg(
        {**options, "type": partial(factory, *args) if args else factory}, registry
    )


@lru_cache(maxsize=1024)  # reading a signature costs more than building a small layer
def takes(factory: LayerFactory, name: str) -> bool:
    """Tell whether a class or function has a parameter of this name.

    Args:
        factory: The class or function.
        name: The parameter's name.

    Returns:
        True also if it takes any keyword, or has no signature to tell by.
    """
    if getattr(factory, "__init__", None) is nn.Module.__init__:
        return False  # which takes any keyword only to refuse it
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return True
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


@lru_cache(maxsize=1024)
def first_parameter(factory: LayerFactory) -> str | None:
    """Tell the first parameter of a class or function.

    Args:
        factory: The class or function.

    Returns:
        Its name; None if there is none, or no signature to tell by.
    """
    try:
        return next(iter(inspect.signature(factory).parameters), None)
    except (TypeError, ValueError):
        return None


def _name(factory: LayerFactory) -> str:
    """The name of a class or function, also of one wrapped in a partial."""
    while isinstance(factory, partial):
        factory = factory.func
    return getattr(factory, "__qualname__", repr(factory))
