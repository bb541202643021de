"""What `mmcv.cnn.utils` offers: initialisation, fusing, counting, SyncBN reverting."""

from brickwork._lazy import attach

# Not lazily: the module of this name, once imported, would stand in the function's place.
from .fuse_conv_bn import fuse_conv_bn as fuse_conv_bn

__getattr__, __dir__, __all__ = attach(__name__, __file__)
