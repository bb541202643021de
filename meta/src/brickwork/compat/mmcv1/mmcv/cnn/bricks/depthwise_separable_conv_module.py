"""`mmcv.cnn.bricks.depthwise_separable_conv_module`, provided by brickwork."""

from brickwork.cnn.bricks.depthwise_separable_conv_module import *
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
