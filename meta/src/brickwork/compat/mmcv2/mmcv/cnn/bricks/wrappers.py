"""`mmcv.cnn.bricks.wrappers`, provided by brickwork."""

from brickwork.cnn.bricks.wrappers import *
from brickwork.compat import _mmcv2

__getattr__, __dir__ = _mmcv2.attributes(__name__)
