"""`mmcv.cnn.rfsearch.search`, provided by brickwork."""

from brickwork.cnn.rfsearch.search import *
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
