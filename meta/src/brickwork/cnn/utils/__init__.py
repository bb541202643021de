"""What `mmcv.cnn.utils` offers: initialisation, fusing, counting, SyncBN reverting."""

from brickwork._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
