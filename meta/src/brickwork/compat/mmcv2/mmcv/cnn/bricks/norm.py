"""`mmcv.cnn.bricks.norm`, provided by brickwork."""

from brickwork.cnn.bricks.norm import NORM_LAYERS, build_norm_layer, infer_abbr, is_norm
from brickwork.compat import _mmcv2

__getattr__, __dir__ = _mmcv2.attributes(__name__)
