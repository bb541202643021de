"""`mmcv.cnn.alexnet`, provided by brickwork."""

from brickwork.cnn.alexnet import *
from brickwork.compat import _mmcv2

__getattr__, __dir__ = _mmcv2.attributes(__name__)
