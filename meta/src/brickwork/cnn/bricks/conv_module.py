"""Convolution, norm and activation in one."""

from brickwork_modules import ConvModule

__all__ = [
    "ConvModule",
]
