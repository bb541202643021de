"""Convolutions whose weights are standardised in each forward pass."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._typing import PaddingMode, Size2d


def conv_ws_2d(
    input: Tensor,  # noqa: A002  (mmcv's name of it)
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size2d = 1,
    padding: Size2d = 0,
    dilation: Size2d = 1,
    groups: int = 1,
    eps: float = 1e-5,
) -> Tensor:
    """2d convolution with weight standardisation.

    Each filter is shifted to mean 0 and divided by its standard deviation plus `eps` (Qiao et
    al., "Micro-Batch Training with Batch-Channel Normalization and Weight Standardization",
    https://arxiv.org/abs/1903.10520).

    Args:
        input: Tensor (N, C_in, H, W).
        weight: Filters (C_out, C_in / groups, kH, kW), of at least two values each.
        bias: Tensor (C_out,) or None.
        stride: Step of the window.
        padding: Zeros added on each side.
        dilation: Distance between the kernel's elements.
        groups: Number of groups of channels that do not mix.
        eps: Added to the standard deviation.

    Returns:
        Tensor (N, C_out, H_out, W_out).
    """
    return F.conv2d(input, _standardise(weight, eps), bias, stride, padding, dilation, groups)


class ConvWS2d(nn.Conv2d):
    """2d convolution with weight standardisation, see `conv_ws_2d`.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Size of the window.
        stride: Step of the window.
        padding: Added on each side.
        dilation: Distance between the kernel's elements.
        groups: Number of groups of channels that do not mix.
        bias: Whether to add a bias.
        eps: Added to the standard deviation of each filter.
        padding_mode: As in `torch.nn.Conv2d`.
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
        """Convolve.

        Args:
            x: Tensor (N, C_in, H, W).

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        out: Tensor = self._conv_forward(x, _standardise(self.weight, self.eps), self.bias)
        return out


class ConvAWS2d(nn.Conv2d):
    """2d convolution with adaptive weight standardisation (DetectoRS).

    The standardised filters are scaled and shifted by two buffers, ``weight_gamma`` and
    ``weight_beta``. A checkpoint of a plain convolution has none: then they are set to the
    standard deviation and mean of its filters, so that the layer computes what the plain one did
    (Qiao et al., https://arxiv.org/abs/2006.02334, on weight standardisation,
    https://arxiv.org/abs/1903.10520).

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Size of the window.
        stride: Step of the window.
        padding: Added on each side.
        dilation: Distance between the kernel's elements.
        groups: Number of groups of channels that do not mix.
        bias: Whether to add a bias.
        padding_mode: As in `torch.nn.Conv2d`.
        device: Where the parameters live.
        dtype: Type of the parameters.
    """

    weight_gamma: Tensor
    weight_beta: Tensor

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
        shape = (out_channels, 1, 1, 1)
        self.register_buffer("weight_gamma", torch.ones(shape, device=device, dtype=dtype))
        self.register_buffer("weight_beta", torch.zeros(shape, device=device, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve.

        Args:
            x: Tensor (N, C_in, H, W).

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        mean, std = _moments(self.weight)
        weight = self.weight_gamma * ((self.weight - mean) / std) + self.weight_beta
        out: Tensor = self._conv_forward(x, weight, self.bias)
        return out

    @torch.jit.unused  # loading is no part of a scripted layer
    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        weight = state_dict.get(f"{prefix}weight")
        gamma, beta = f"{prefix}weight_gamma", f"{prefix}weight_beta"
        complete = gamma in state_dict and beta in state_dict
        if not complete and isinstance(weight, Tensor) and weight.shape == self.weight.shape:
            mean, std = _moments(weight)
            state_dict = {**state_dict, gamma: std, beta: mean}
        super()._load_from_state_dict(state_dict, prefix, *args)


def _standardise(weight: Tensor, eps: float) -> Tensor:
    """Bring each filter to mean 0 and standard deviation 1, nearly: see `conv_ws_2d`."""
    flat = weight.flatten(1)
    shape = (weight.size(0), 1, 1, 1)
    return (weight - flat.mean(1).view(shape)) / (flat.std(1).view(shape) + eps)


def _moments(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each filter, (C_out, 1, 1, 1), as DetectoRS takes them."""
    flat = weight.flatten(1)
    shape = (weight.size(0), 1, 1, 1)
    return flat.mean(1).view(shape), torch.sqrt(flat.var(1) + 1e-5).view(shape)
