"""`mmcv.utils.torch_ops`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.utils.torch_ops import *

__getattr__, __dir__ = _mmcv1.attributes(__name__)
