"""Convolution, norm and activation in one."""

from brickwork_modules import ConvModule as ConvModule
