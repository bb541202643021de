"""`mmcv.cnn.bricks.conv_ws`, provided by brickwork."""

from brickwork.cnn.bricks.conv_ws import *
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
