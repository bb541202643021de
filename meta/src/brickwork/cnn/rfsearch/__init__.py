"""Names of `mmcv.cnn.rfsearch`: search for receptive fields (RF-Next)."""

from brickwork._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
