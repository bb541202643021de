"""Convolution that pads as TensorFlow does."""

from brickwork_layers import Conv2dAdaptivePadding

__all__ = [
    "Conv2dAdaptivePadding",
]
