"""Padding layers from configs."""

from brickwork_layers import PADDING_LAYERS as PADDING_LAYERS
from brickwork_layers import build_padding_layer as build_padding_layer
