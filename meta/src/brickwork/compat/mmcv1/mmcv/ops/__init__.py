"""`mmcv.ops`, provided by brickwork-ops: `brickwork.compat._generation` finds its names."""

from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
_mmcv1.keep_functions(__name__)
