"""Convolution with TensorFlow's "same" padding."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._typing import Size2d


class Conv2dAdaptivePadding(nn.Conv2d):
    """2d convolution that pads as TensorFlow's "same" does: ceil(size / stride) comes out.

    The zeros depend on the size of the input; an odd one goes to the bottom or the right.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Size of the window.
        stride: Step of the window.
        padding: Not used; it is here so that the layer can take the place of `torch.nn.Conv2d`.
        dilation: Distance between the kernel's elements.
        groups: Number of groups of channels that do not mix.
        bias: Whether to add a bias.
        device: Where the parameters live.
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
        """Pad and convolve.

        Args:
            x: Tensor (N, C_in, H, W).

        Returns:
            Tensor (N, C_out, ceil(H / stride), ceil(W / stride)).
        """
        height, width = x.shape[-2:]
        missing_h = _missing(height, self.kernel_size[0], self.stride[0], self.dilation[0])
        missing_w = _missing(width, self.kernel_size[1], self.stride[1], self.dilation[1])
        if missing_h > 0 or missing_w > 0:
            top, left = missing_h // 2, missing_w // 2
            x = F.pad(x, [left, missing_w - left, top, missing_h - top])
        out: Tensor = self._conv_forward(x, self.weight, self.bias)
        return out


def _missing(size: int, kernel_size: int, stride: int, dilation: int) -> int:
    """Zeros to add along one side so that ceil(size / stride) windows fit."""
    windows = (size + stride - 1) // stride
    return max((windows - 1) * stride + (kernel_size - 1) * dilation + 1 - size, 0)
