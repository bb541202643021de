"""`mmcv.cnn.bricks.conv2d_adaptive_padding`, provided by brickwork."""

from brickwork.cnn.bricks.conv2d_adaptive_padding import *
from brickwork.compat import _mmcv2

__getattr__, __dir__ = _mmcv2.attributes(__name__)
