"""Names of `mmcv.cnn`: layers from configs, compound modules, initialization, models."""

from brickwork._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
