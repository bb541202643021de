"""`mmcv.cnn.bricks.generalized_attention`, provided by brickwork."""

from brickwork.cnn.bricks.generalized_attention import *
from brickwork.compat import _mmcv2

__getattr__, __dir__ = _mmcv2.attributes(__name__)
