"""Names of `mmcv.utils` for model code: the registry and small helpers."""

from brickwork._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
