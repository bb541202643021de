"""Activation layers."""

from brickwork_layers import (
    ACTIVATION_LAYERS,
    Clamp,
    build_activation_layer,
)
from torch.nn import GELU

__all__ = [
    "ACTIVATION_LAYERS",
    "GELU",
    "Clamp",
    "build_activation_layer",
]
