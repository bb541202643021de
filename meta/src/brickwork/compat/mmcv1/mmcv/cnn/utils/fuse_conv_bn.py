"""`mmcv.cnn.utils.fuse_conv_bn`, provided by brickwork."""

from brickwork.cnn.utils.fuse_conv_bn import *
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
