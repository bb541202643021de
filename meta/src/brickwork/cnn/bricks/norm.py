"""Norm layers from configs."""

from brickwork_layers import NORM_LAYERS as NORM_LAYERS
from brickwork_layers import build_norm_layer as build_norm_layer
from brickwork_layers import infer_abbr as infer_abbr
from brickwork_layers import is_norm as is_norm
