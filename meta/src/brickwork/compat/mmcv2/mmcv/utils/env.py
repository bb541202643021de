"""`mmcv.utils.env`, provided by brickwork."""

from brickwork.compat import _mmcv2
from brickwork.utils.env import *

__getattr__, __dir__ = _mmcv2.attributes(__name__)
