"""The builders of the parts of transformers."""

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
        cfg: ``type`` is one of `POSITIONAL_ENCODING`; the rest are arguments.
        default_args: Arguments, or the ``type``, for what `cfg` lacks.

    Returns:
        The positional encoding.

    Raises:
        TypeError: If `cfg` is no dict, or an argument does not fit.
        KeyError: If there is no ``type``, or an unknown one.
    """
    return build_from_cfg(cfg, POSITIONAL_ENCODING, default_args)


def build_attention(cfg: Config, default_args: Config | None = None) -> nn.Module:
    """Build an attention; as `build_positional_encoding`, from `ATTENTION`.

    Args:
        cfg: ``type`` is one of `ATTENTION`; the rest are arguments.
        default_args: Arguments, or the ``type``, for what `cfg` lacks.

    Returns:
        The attention.
    """
    return build_from_cfg(cfg, ATTENTION, default_args)


def build_feedforward_network(cfg: Config, default_args: Config | None = None) -> nn.Module:
    """Build a feed-forward network; as `build_positional_encoding`, from `FEEDFORWARD_NETWORK`.

    Args:
        cfg: ``type`` is one of `FEEDFORWARD_NETWORK`; the rest are arguments.
        default_args: Arguments, or the ``type``, for what `cfg` lacks.

    Returns:
        The feed-forward network.
    """
    return build_from_cfg(cfg, FEEDFORWARD_NETWORK, default_args)


def build_transformer_layer(cfg: Config, default_args: Config | None = None) -> nn.Module:
    """Build a layer of a transformer; as `build_positional_encoding`, from `TRANSFORMER_LAYER`.

    Args:
        cfg: ``type`` is one of `TRANSFORMER_LAYER`; the rest are arguments.
        default_args: Arguments, or the ``type``, for what `cfg` lacks.

    Returns:
        The layer.
    """
    return build_from_cfg(cfg, TRANSFORMER_LAYER, default_args)


def build_transformer_layer_sequence(cfg: Config, default_args: Config | None = None) -> nn.Module:
    """Build an encoder or a decoder, from `TRANSFORMER_LAYER_SEQUENCE`.

    Args:
        cfg: ``type`` is one of `TRANSFORMER_LAYER_SEQUENCE`; the rest are arguments.
        default_args: Arguments, or the ``type``, for what `cfg` lacks.

    Returns:
        The sequence of layers.
    """
    return build_from_cfg(cfg, TRANSFORMER_LAYER_SEQUENCE, default_args)
