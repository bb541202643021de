"""Layers under their old wrapper names."""

from brickwork_layers import (
    Conv2d,
    Conv3d,
    ConvTranspose2d,
    ConvTranspose3d,
    Linear,
    MaxPool2d,
    MaxPool3d,
)

from brickwork.utils.torch_ops import NewEmptyTensorOp, obsolete_torch_version

__all__ = [
    "Conv2d",
    "Conv3d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "Linear",
    "MaxPool2d",
    "MaxPool3d",
    "NewEmptyTensorOp",
    "obsolete_torch_version",
]
