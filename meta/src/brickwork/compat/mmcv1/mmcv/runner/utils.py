"""`mmcv.runner.utils`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner.utils import *

__getattr__, __dir__ = _mmcv1.attributes(__name__)
