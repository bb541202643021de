"""`mmcv.cnn.bricks.wrappers`, provided by brickwork."""

from brickwork.cnn.bricks.wrappers import (
    Conv2d,
    Conv3d,
    ConvTranspose2d,
    ConvTranspose3d,
    Linear,
    MaxPool2d,
    MaxPool3d,
    NewEmptyTensorOp,
    obsolete_torch_version,
)
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
