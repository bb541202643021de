"""Names of `mmcv.runner` for model code: base modules, checkpoints, distribution, precision."""

from brickwork._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
