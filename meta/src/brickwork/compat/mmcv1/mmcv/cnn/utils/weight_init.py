"""`mmcv.cnn.utils.weight_init`, provided by brickwork."""

from brickwork.cnn.utils.weight_init import *
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
