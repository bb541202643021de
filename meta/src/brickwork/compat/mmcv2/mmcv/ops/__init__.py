"""`mmcv.ops`, provided by brickwork-ops: `brickwork.compat._generation` finds its names."""

from brickwork.compat import _mmcv2

__getattr__, __dir__ = _mmcv2.attributes(__name__)
_mmcv2.keep_functions(__name__)
_mmcv2.register_operators()
