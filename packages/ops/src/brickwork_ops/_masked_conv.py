"""Convolution at chosen positions."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._check import check, pair, shape
from ._typing import Size2d


def masked_conv2d(
    features: Tensor,
    mask: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: Size2d = 0,
    stride: Size2d = 1,
) -> Tensor:
    """Convolve and keep the result where a mask is positive.

    Unlike mmcv's, this takes a batch and has a gradient.

    Args:
        features: Tensor (N, C_in, H, W).
        mask: Tensor (N, H, W).
        weight: Tensor (C_out, C_in, kH, kW).
        bias: Tensor (C_out,) or None.
        padding: Padding added to both sides of the input, so that the size stays.
        stride: Must be 1.

    Returns:
        Tensor (N, C_out, H, W), 0 where the mask is not positive.

    Raises:
        OperatorInputError: If shapes or arguments do not fit.
    """
    name = "masked_conv2d"
    check(pair(name, "stride", stride) == (1, 1), name, f"stride must be 1, got {stride!r}")
    return _masked(name, F.conv2d(features, weight, bias, padding=padding), mask)


class MaskedConv2d(nn.Conv2d):
    """Convolution at chosen positions, or at all of them.

    Args:
        in_channels: Number of channels in the input.
        out_channels: Number of channels in the output.
        kernel_size: Size of the convolving kernel.
        stride: Stride of the convolution; 1 with a mask.
        padding: Padding added to both sides of the input.
        dilation: Spacing between kernel elements.
        groups: Number of blocked connections from input to output channels.
        bias: Whether to add a learnable bias to the output.
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
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias
        )

    def forward(
        self,
        input: Tensor,  # noqa: A002  (mmcv's name)
        mask: Tensor | None = None,
    ) -> Tensor:
        """Convolve.

        Args:
            input: Tensor (N, C_in, H, W).
            mask: Tensor (N, H, W); the output is 0 where it is not positive. None for all.

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        out: Tensor = super().forward(input)
        return out if mask is None else _masked("MaskedConv2d", out, mask)


def _masked(name: str, out: Tensor, mask: Tensor) -> Tensor:
    expected = (out.shape[0], *out.shape[2:])
    check(
        shape(mask) == expected,
        name,
        f"mask must have the batch and size of the output, {expected}, got {shape(mask)}",
    )
    return torch.where(mask[:, None] > 0, out, 0)
