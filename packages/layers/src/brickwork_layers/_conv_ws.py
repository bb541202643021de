"""Convolutions that standardize their weight in each forward pass."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._typing import PaddingMode, Size2d


def conv_ws_2d(
    input: Tensor,  # noqa: A002  (mmcv's name)
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size2d = 1,
    padding: Size2d = 0,
    dilation: Size2d = 1,
    groups: int = 1,
    eps: float = 1e-5,
) -> Tensor:
    """Apply a 2d convolution with weight standardization.

    The mean of each filter is subtracted and the result divided by its standard deviation plus
    `eps` (Qiao et al., "Micro-Batch Training with Batch-Channel Normalization and Weight
    Standardization", https://arxiv.org/abs/1903.10520).

    Args:
        input: Tensor (N, C_in, H, W).
        weight: Filters (C_out, C_in / groups, kH, kW), of at least two values each.
        bias: Tensor (C_out,) or None.
        stride: Stride of the convolution.
        padding: Zero padding added to both sides of the input.
        dilation: Spacing between kernel elements.
        groups: Number of blocked connections from input to output channels.
        eps: Added to the standard deviation.

    Returns:
        Tensor (N, C_out, H_out, W_out).
    """
    return F.conv2d(input, _standardize(weight, eps), bias, stride, padding, dilation, groups)


class ConvWS2d(nn.Conv2d):
    """2d convolution with weight standardization, see `conv_ws_2d`.

    Args:
        in_channels: Number of channels of the input.
        out_channels: Number of channels of the output.
        kernel_size: Size of the convolution kernel.
        stride: Stride of the convolution.
        padding: Padding added to both sides of the input.
        dilation: Spacing between kernel elements.
        groups: Number of blocked connections from input to output channels.
        bias: Whether to add a learnable bias.
        eps: Added to the standard deviation of each filter.
        padding_mode: As in `torch.nn.Conv2d`.
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
        eps: float = 1e-5,
        *,
        padding_mode: PaddingMode = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Apply the convolution.

        Args:
            x: Tensor (N, C_in, H, W).

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        output: Tensor = self._conv_forward(x, _standardize(self.weight, self.eps), self.bias)
        return output


class ConvAWS2d(nn.Conv2d):
    """2d convolution with adaptive weight standardization (DetectoRS).

    The standardized filters are scaled and shifted by the buffers ``weight_gamma`` and
    ``weight_beta`` (Qiao et al., https://arxiv.org/abs/2006.02334, on weight standardization,
    https://arxiv.org/abs/1903.10520). If a checkpoint does not have them, as that of a plain
    convolution, they are set to the standard deviation and mean of its filters, so that the layer
    computes what the plain convolution did.

    The arguments are those of `torch.nn.Conv2d`.
    """

    weight_gamma: Tensor
    weight_beta: Tensor

    def reset_parameters(self) -> None:
        """Initialize the weight as `torch.nn.Conv2d` does, and the buffers to 1 and 0."""
        super().reset_parameters()
        shape = (self.out_channels, 1, 1, 1)
        self.register_buffer("weight_gamma", self.weight.new_ones(shape))
        self.register_buffer("weight_beta", self.weight.new_zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the convolution.

        Args:
            x: Tensor (N, C_in, H, W).

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        output: Tensor = self._conv_forward(x, self._get_weight(self.weight), self.bias)
        return output

    def _get_weight(self, weight: Tensor) -> Tensor:  # `SAConv2d` of mmcv.ops calls it
        mean, std = _moments(weight)
        return self.weight_gamma * ((weight - mean) / std) + self.weight_beta

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        weight = state_dict.get(f"{prefix}weight")
        gamma, beta = f"{prefix}weight_gamma", f"{prefix}weight_beta"
        is_complete = gamma in state_dict and beta in state_dict
        if not is_complete and isinstance(weight, Tensor) and weight.shape == self.weight.shape:
            mean, std = _moments(weight)
            state_dict = {**state_dict, gamma: std, beta: mean}
        super()._load_from_state_dict(state_dict, prefix, *args)


def _standardize(weight: Tensor, eps: float) -> Tensor:
    """Return filters with mean 0 and standard deviation 1, up to `eps`."""
    flat = weight.flatten(1)
    shape = (weight.size(0), 1, 1, 1)
    return (weight - flat.mean(1).view(shape)) / (flat.std(1).view(shape) + eps)


def _moments(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each filter, (C_out, 1, 1, 1), as in DetectoRS."""
    flat = weight.flatten(1)
    shape = (weight.size(0), 1, 1, 1)
    return flat.mean(1).view(shape), torch.sqrt(flat.var(1) + 1e-5).view(shape)
