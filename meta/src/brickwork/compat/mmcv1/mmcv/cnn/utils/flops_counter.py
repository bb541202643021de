"""`mmcv.cnn.utils.flops_counter`, provided by brickwork."""

from brickwork.cnn.utils.flops_counter import *
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
