"""`mmcv.cnn.rfsearch`, provided by brickwork."""

from brickwork.cnn.rfsearch import BaseConvRFSearchOp, Conv2dRFSearchOp, RFSearchHook
from brickwork.compat import _mmcv1

__path__ = _mmcv1.path(__name__)
__getattr__, __dir__ = _mmcv1.attributes(__name__)
