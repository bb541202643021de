"""VGG."""

from brickwork_models.classic import (
    VGG,
    make_vgg_layer,
)

__all__ = [
    "VGG",
    "make_vgg_layer",
]
