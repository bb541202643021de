"""Search of receptive fields: the dilation of each convolution (RF-Next)."""

from ._hook import RFSearchHook as RFSearchHook
from ._operators import BaseConvRFSearchOp as BaseConvRFSearchOp
from ._operators import Conv2dRFSearchOp as Conv2dRFSearchOp

__all__ = ["BaseConvRFSearchOp", "Conv2dRFSearchOp", "RFSearchHook"]
