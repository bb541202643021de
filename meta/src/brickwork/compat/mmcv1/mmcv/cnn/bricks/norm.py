"""`mmcv.cnn.bricks.norm`, provided by brickwork."""

from brickwork.cnn.bricks.norm import *
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
