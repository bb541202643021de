"""Folding batch norm into convolutions."""

from brickwork_modules import fuse_conv_bn as fuse_conv_bn
