"""Folding batch norm into convolutions."""

from brickwork_modules import fuse_conv_bn

__all__ = [
    "fuse_conv_bn",
]
