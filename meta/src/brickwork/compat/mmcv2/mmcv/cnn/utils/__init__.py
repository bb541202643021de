"""`mmcv.cnn.utils`, provided by brickwork."""

from brickwork.cnn.utils import get_model_complexity_info
from brickwork.compat import _mmcv2

from .fuse_conv_bn import fuse_conv_bn

__path__ = _mmcv2.path(__name__)
__getattr__, __dir__ = _mmcv2.attributes(__name__)
