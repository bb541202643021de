"""Switchable atrous convolution."""

from brickwork_ops import SAConv2d as SAConv2d
