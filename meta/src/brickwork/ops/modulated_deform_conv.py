"""Modulated deformable convolution."""

from brickwork_ops import ModulatedDeformConv2d as ModulatedDeformConv2d
from brickwork_ops import ModulatedDeformConv2dPack as ModulatedDeformConv2dPack
from brickwork_ops import modulated_deform_conv2d as modulated_deform_conv2d
