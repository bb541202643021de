"""Depthwise separable convolution."""

from brickwork_modules import DepthwiseSeparableConvModule

__all__ = [
    "DepthwiseSeparableConvModule",
]
