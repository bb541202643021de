"""`mmcv.parallel.data_container`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.parallel.data_container import *

__getattr__, __dir__ = _mmcv1.attributes(__name__)
