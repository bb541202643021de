"""Names of `mmcv.cnn.bricks`: layers and compound modules, built from configs."""

from brickwork._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
