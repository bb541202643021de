"""What `mmcv.cnn` offers: layers from configs, bundles, initialisation, networks, measures."""

from brickwork._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
