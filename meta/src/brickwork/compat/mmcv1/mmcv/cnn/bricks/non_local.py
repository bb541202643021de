"""`mmcv.cnn.bricks.non_local`, provided by brickwork."""

from brickwork.cnn.bricks.non_local import *
from brickwork.cnn.bricks.non_local import _NonLocalNd as _NonLocalNd
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
