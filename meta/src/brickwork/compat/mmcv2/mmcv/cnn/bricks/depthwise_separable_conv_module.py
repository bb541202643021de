"""`mmcv.cnn.bricks.depthwise_separable_conv_module`, provided by brickwork."""

from brickwork.cnn.bricks.depthwise_separable_conv_module import *
from brickwork.compat import _mmcv2

__getattr__, __dir__ = _mmcv2.attributes(__name__)
