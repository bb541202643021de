"""Deformable convolution."""

from brickwork_ops import DeformConv2d as DeformConv2d
from brickwork_ops import DeformConv2dPack as DeformConv2dPack
from brickwork_ops import deform_conv2d as deform_conv2d
