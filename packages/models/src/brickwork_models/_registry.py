"""The registry of networks, and how a config becomes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brickwork_base import Sequential
from brickwork_registry import Registry, build_from_cfg
from torch import nn

from ._typing import Config


def build_model_from_cfg(
    cfg: Config | list[Config],
    registry: Registry[Any],
    default_args: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Build a network from its config; a list of configs gives a chain of networks.

    Args:
        cfg: A config with a ``type``, or a list of them.
        registry: Where the types are looked up.
        default_args: Arguments for every network that its config does not give.

    Returns:
        The network, or a :class:`brickwork_base.Sequential` of the networks of the list.
    """
    if isinstance(cfg, list):
        return Sequential(*(build_from_cfg(one, registry, default_args) for one in cfg))
    model: nn.Module = build_from_cfg(cfg, registry, default_args)
    return model


MODELS: Registry[type[nn.Module]] = Registry("model", build_func=build_model_from_cfg)
"""The networks of this package, and yours."""


def build_model(cfg: Config | list[Config], **default_args: Any) -> nn.Module:
    """Build a network of :data:`MODELS` from its config.

    Args:
        cfg: ``dict(type="ResNet", depth=50)``, or a list of such.
        **default_args: Arguments that the config does not give.

    Returns:
        The network.
    """
    return build_model_from_cfg(cfg, MODELS, default_args or None)
