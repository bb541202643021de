"""A learnable scale."""

from brickwork_layers import (
    LayerScale,
    Scale,
)

__all__ = [
    "LayerScale",
    "Scale",
]
