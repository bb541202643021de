"""`mmcv.cnn.resnet`, provided by brickwork."""

from brickwork.cnn.resnet import *
from brickwork.compat import _mmcv2

__getattr__, __dir__ = _mmcv2.attributes(__name__)
