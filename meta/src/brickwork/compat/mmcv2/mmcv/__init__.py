"""mmcv 2.x on brickwork. Imports nothing: its names come from other modules when first used."""

from brickwork.compat import _mmcv2

__path__ = _mmcv2.path(__name__)
__version__ = _mmcv2.version()
version_info = _mmcv2.version_info()
__getattr__, __dir__ = _mmcv2.attributes(__name__)
