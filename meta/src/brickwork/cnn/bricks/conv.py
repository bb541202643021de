"""Convolution layers from configs."""

from brickwork_layers import CONV_LAYERS as CONV_LAYERS
from brickwork_layers import build_conv_layer as build_conv_layer
