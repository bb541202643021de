"""`mmcv.utils.trace`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.utils.trace import *

__getattr__, __dir__ = _mmcv1.attributes(__name__)
