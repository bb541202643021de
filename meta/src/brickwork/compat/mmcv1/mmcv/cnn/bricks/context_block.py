"""`mmcv.cnn.bricks.context_block`, provided by brickwork."""

from brickwork.cnn.bricks.context_block import *
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
