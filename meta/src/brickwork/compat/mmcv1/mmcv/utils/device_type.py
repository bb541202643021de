"""`mmcv.utils.device_type`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.utils.device_type import *

__getattr__, __dir__ = _mmcv1.attributes(__name__)
