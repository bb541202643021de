"""Convolution with the "same" padding of TensorFlow."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._typing import Size2d


class Conv2dAdaptivePadding(nn.Conv2d):
    """2d convolution with the "same" padding of TensorFlow: output size ceil(size / stride).

    The amount of zero padding depends on the size of the input. If it is odd, the
    bottom and right sides get one more zero than the top and left sides.

    Args:
        in_channels: Number of channels of the input.
        out_channels: Number of channels of the output.
        kernel_size: Size of the convolution kernel.
        stride: Stride of the convolution.
        padding: Ignored; it exists for the signature of `torch.nn.Conv2d`.
        dilation: Spacing between kernel elements.
        groups: Number of blocked connections from input to output channels.
        bias: Whether to add a learnable bias.
        device: Device of the parameters.
        dtype: Type of the parameters.
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
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            0,
            dilation,
            groups,
            bias,
            device=device,
            dtype=dtype,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Pad the input and apply the convolution.

        Args:
            x: Tensor (N, C_in, H, W).

        Returns:
            Tensor (N, C_out, ceil(H / stride), ceil(W / stride)).
        """
        height, width = x.shape[-2:]
        padding_h = _total_padding(height, self.kernel_size[0], self.stride[0], self.dilation[0])
        padding_w = _total_padding(width, self.kernel_size[1], self.stride[1], self.dilation[1])
        if padding_h > 0 or padding_w > 0:
            top, left = padding_h // 2, padding_w // 2
            x = F.pad(x, [left, padding_w - left, top, padding_h - top])
        output: Tensor = self._conv_forward(x, self.weight, self.bias)
        return output


def _total_padding(size: int, kernel_size: int, stride: int, dilation: int) -> int:
    """Return the padding of one dimension for an output of ceil(size / stride)."""
    output_size = (size + stride - 1) // stride
    return max((output_size - 1) * stride + (kernel_size - 1) * dilation + 1 - size, 0)
