"""`mmcv.utils.registry`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.utils.registry import Registry, build_from_cfg

__getattr__, __dir__ = _mmcv1.attributes(__name__)
