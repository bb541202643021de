"""Convolution with norm and activation."""

from brickwork_modules import ConvModule as ConvModule
