"""Convolution at chosen positions."""

from brickwork_ops import MaskedConv2d as MaskedConv2d
from brickwork_ops import masked_conv2d as masked_conv2d
