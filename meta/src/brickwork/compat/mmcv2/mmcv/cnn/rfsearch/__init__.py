"""`mmcv.cnn.rfsearch`, provided by brickwork."""

from brickwork.cnn.rfsearch import BaseConvRFSearchOp, Conv2dRFSearchOp, RFSearchHook
from brickwork.compat import _mmcv2

__path__ = _mmcv2.path(__name__)
__getattr__, __dir__ = _mmcv2.attributes(__name__)
