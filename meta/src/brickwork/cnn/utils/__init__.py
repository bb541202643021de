"""Names of `mmcv.cnn.utils`: initialization, fusing, counting, reverting SyncBN."""

from brickwork._lazy import attach

# Not lazy: once imported, the module of this name would replace the function.
from .fuse_conv_bn import fuse_conv_bn as fuse_conv_bn

__getattr__, __dir__, __all__ = attach(__name__, __file__)
