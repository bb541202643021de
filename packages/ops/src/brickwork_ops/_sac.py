"""Switchable atrous convolution of DetectoRS, https://arxiv.org/abs/2006.02334."""

import torch
import torch.nn.functional as F
from brickwork_layers import ConvAWS2d
from torch import Tensor, nn

from ._deform_conv import deform_conv2d
from ._typing import Size2d


class SAConv2d(ConvAWS2d):
    """Switchable atrous convolution; ``SAC`` in configs.

    Two convolutions of the same weight, one with three times the dilation, are mixed by a switch
    that depends on the position. A global context is added before and after.

    Args:
        in_channels: Number of channels in the input.
        out_channels: Number of channels in the output.
        kernel_size: Size of the convolving kernel; 3 if `use_deform`.
        stride: Stride of the convolution.
        padding: Padding added to both sides of the input.
        dilation: Spacing between kernel elements.
        groups: Number of blocked connections from input to output channels.
        bias: Whether to have a bias; like mmcv's, it is a parameter that the layer does not add.
        use_deform: Whether the two convolutions are deformable.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size2d,
        stride: Size2d = 1,
        padding: Size2d = 0,
        dilation: Size2d = 1,
        groups: int = 1,
        bias: bool = True,
        use_deform: bool = False,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias
        )
        self.use_deform = use_deform
        self.switch = nn.Conv2d(in_channels, 1, kernel_size=1, stride=stride)
        self.weight_diff = nn.Parameter(torch.empty_like(self.weight))
        self.pre_context = nn.Conv2d(in_channels, in_channels, kernel_size=1)
        self.post_context = nn.Conv2d(out_channels, out_channels, kernel_size=1)
        if use_deform:
            self.offset_s = _offset_conv(in_channels, stride)
            self.offset_l = _offset_conv(in_channels, stride)
        self.init_weights()

    def init_weights(self) -> None:
        """Set the switch to 1 and all that is added to 0: a plain convolution."""
        nn.init.zeros_(self.weight_diff)
        for name in ("switch", "pre_context", "post_context", "offset_s", "offset_l"):
            conv = getattr(self, name, None)
            if conv is not None:
                nn.init.zeros_(conv.weight)
                nn.init.constant_(conv.bias, 1 if name == "switch" else 0)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve.

        Args:
            x: Tensor (N, C_in, H, W) of at least 3 x 3 pixels.

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        x = x + self.pre_context(F.adaptive_avg_pool2d(x, 1))
        average = F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), kernel_size=5, stride=1)
        switch = self.switch(average)
        weight: Tensor = self._get_weight(self.weight)
        small = self._convolve(x, weight, average, "offset_s", 1)
        large = self._convolve(x, weight + self.weight_diff, average, "offset_l", 3)
        mixed = switch * small + (1 - switch) * large
        out: Tensor = mixed + self.post_context(F.adaptive_avg_pool2d(mixed, 1))
        return out

    def _convolve(
        self, x: Tensor, weight: Tensor, average: Tensor, offset_name: str, factor: int
    ) -> Tensor:
        """Convolve with the padding and dilation of the layer times a factor."""
        stride = (self.stride[0], self.stride[1])
        padding = (int(self.padding[0]) * factor, int(self.padding[1]) * factor)
        dilation = (self.dilation[0] * factor, self.dilation[1] * factor)
        if self.use_deform:
            offset = getattr(self, offset_name)(average)
            return deform_conv2d(x, offset, weight, stride, padding, dilation, self.groups)
        return F.conv2d(x, weight, None, stride, padding, dilation, self.groups)


def _offset_conv(in_channels: int, stride: Size2d) -> nn.Conv2d:
    """Return the convolution that predicts the offsets of a 3 x 3 kernel."""
    return nn.Conv2d(in_channels, 18, kernel_size=3, padding=1, stride=stride)
