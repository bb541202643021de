"""What `mmcv.cnn.bricks` offers: layers and bundles of layers, built from configs."""

from brickwork._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
