"""Convolution layers from configs."""

from brickwork_layers import (
    CONV_LAYERS,
    build_conv_layer,
)

__all__ = [
    "CONV_LAYERS",
    "build_conv_layer",
]
