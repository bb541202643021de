"""Depthwise separable convolution."""

from brickwork_modules import DepthwiseSeparableConvModule as DepthwiseSeparableConvModule
