"""mmcv 1.x on brickwork. Imports nothing: its names come from other modules when first used."""

from brickwork.compat import _mmcv1

__path__ = _mmcv1.path(__name__)
__version__ = _mmcv1.version()
version_info = _mmcv1.version_info()
__getattr__, __dir__ = _mmcv1.attributes(__name__)
