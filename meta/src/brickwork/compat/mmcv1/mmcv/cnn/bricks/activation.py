"""`mmcv.cnn.bricks.activation`, provided by brickwork."""

from brickwork.cnn.bricks.activation import ACTIVATION_LAYERS, GELU, Clamp, build_activation_layer
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
