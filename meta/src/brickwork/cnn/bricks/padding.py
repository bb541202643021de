"""Padding layers from configs."""

from brickwork_layers import (
    PADDING_LAYERS,
    build_padding_layer,
)

__all__ = [
    "PADDING_LAYERS",
    "build_padding_layer",
]
