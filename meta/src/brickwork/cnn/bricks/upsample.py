"""Upsampling layers from configs."""

from brickwork_layers import (
    UPSAMPLE_LAYERS,
    PixelShufflePack,
    build_upsample_layer,
)

__all__ = [
    "UPSAMPLE_LAYERS",
    "PixelShufflePack",
    "build_upsample_layer",
]
