"""Convolution that pads as TensorFlow does."""

from brickwork_layers import Conv2dAdaptivePadding as Conv2dAdaptivePadding
