"""Activation layers."""

from brickwork_layers import ACTIVATION_LAYERS as ACTIVATION_LAYERS
from brickwork_layers import Clamp as Clamp
from brickwork_layers import build_activation_layer as build_activation_layer
from torch.nn import GELU as GELU
