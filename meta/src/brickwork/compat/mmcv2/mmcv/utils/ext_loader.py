"""`mmcv.utils.ext_loader`, provided by brickwork."""

from brickwork.compat import _mmcv2
from brickwork.compat._kernels import check_ops_exist
from brickwork.compat._kernels import load_kernels as load_ext

__getattr__, __dir__ = _mmcv2.attributes(__name__)
