"""Builders of the parts of transformers."""

from typing import Any

from brickwork_registry import build_from_cfg
from torch import nn

from ._registries import (
    ATTENTION,
    FEEDFORWARD_NETWORK,
    POSITIONAL_ENCODING,
    TRANSFORMER_LAYER,
    TRANSFORMER_LAYER_SEQUENCE,
)
from ._typing import Config


def build_positional_encoding(cfg: Config, default_args: Config | None = None) -> Any:
    """Build a positional encoding.

    Args:
        cfg: ``type`` is a name in `POSITIONAL_ENCODING`; the other keys are arguments.
        default_args: Values, including ``type``, for keys that `cfg` does not have.

    Returns:
        The positional encoding.

    Raises:
        TypeError: If `cfg` is not a dict, or an argument is invalid.
        KeyError: If there is no ``type``, or it is not registered.
    """
    return build_from_cfg(cfg, POSITIONAL_ENCODING, default_args)


def build_attention(cfg: Config, default_args: Config | None = None) -> nn.Module:
    """Build an attention of `ATTENTION`; arguments as of `build_positional_encoding`."""
    return build_from_cfg(cfg, ATTENTION, default_args)


def build_feedforward_network(cfg: Config, default_args: Config | None = None) -> nn.Module:
    """Build a network of `FEEDFORWARD_NETWORK`; arguments as of `build_positional_encoding`."""
    return build_from_cfg(cfg, FEEDFORWARD_NETWORK, default_args)


def build_transformer_layer(cfg: Config, default_args: Config | None = None) -> nn.Module:
    """Build a layer of `TRANSFORMER_LAYER`; arguments as of `build_positional_encoding`."""
    return build_from_cfg(cfg, TRANSFORMER_LAYER, default_args)


def build_transformer_layer_sequence(cfg: Config, default_args: Config | None = None) -> nn.Module:
    """Build an entry of `TRANSFORMER_LAYER_SEQUENCE`, as `build_positional_encoding` does."""
    return build_from_cfg(cfg, TRANSFORMER_LAYER_SEQUENCE, default_args)
