"""`mmcv.utils.parrots_jit`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.utils.parrots_jit import jit, skip_no_elena

__getattr__, __dir__ = _mmcv1.attributes(__name__)
