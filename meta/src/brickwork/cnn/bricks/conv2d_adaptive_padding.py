"""Convolution with the padding of TensorFlow."""

from brickwork_layers import Conv2dAdaptivePadding as Conv2dAdaptivePadding
