"""Registry of models, and building a model from a config."""

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
    """Build a model from a config, or a sequence of models from a list of configs.

    Args:
        cfg: Config with a ``type``, or a list of them.
        registry: Registry in which the types are looked up.
        default_args: Default arguments of every model.

    Returns:
        The model, or a :class:`brickwork_base.Sequential` of the models of the list.
    """
    if isinstance(cfg, list):
        return Sequential(*(build_from_cfg(item, registry, default_args) for item in cfg))
    model: nn.Module = build_from_cfg(cfg, registry, default_args)
    return model


MODELS: Registry[type[nn.Module]] = Registry("model", build_func=build_model_from_cfg)
"""Models of this package and of its users."""


def build_model(cfg: Config | list[Config], **default_args: Any) -> nn.Module:
    """Build a model of :data:`MODELS` from a config.

    Args:
        cfg: Config such as ``dict(type="ResNet", depth=50)``, or a list of them.
        **default_args: Default arguments of every model.

    Returns:
        The model.
    """
    return build_model_from_cfg(cfg, MODELS, default_args or None)
