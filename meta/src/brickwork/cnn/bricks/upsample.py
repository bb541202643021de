"""Upsampling layers from configs."""

from brickwork_layers import UPSAMPLE_LAYERS as UPSAMPLE_LAYERS
from brickwork_layers import PixelShufflePack as PixelShufflePack
from brickwork_layers import build_upsample_layer as build_upsample_layer
