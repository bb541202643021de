"""`mmcv.runner.base_module`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner.base_module import *

__getattr__, __dir__ = _mmcv1.attributes(__name__)
