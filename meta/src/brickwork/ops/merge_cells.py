"""Cells that merge two feature maps, as necks found by architecture search use them.

mmcv has them in `mmcv.ops`, although they compute nothing themselves.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from brickwork_modules import ConvModule
from torch import nn
from torch.nn import functional as F

__all__ = ["BaseMergeCell", "ConcatCell", "GlobalPoolingCell", "SumCell"]

_OUT_CONV = MappingProxyType({"groups": 1, "kernel_size": 3, "padding": 1, "bias": True})


class BaseMergeCell(nn.Module):
    """A module that brings two feature maps to one size and merges them.

    Args:
        fused_channels: Channels of the merged map.
        out_channels: Channels of the result, and of the inputs where these have convolutions.
        with_out_conv: Whether a convolution follows the merge.
        out_conv_cfg: Arguments of its `ConvModule`.
        out_norm_cfg: Config of its norm.
        out_conv_order: Order of its layers.
        with_input1_conv: Whether a convolution precedes the merge on the first input.
        with_input2_conv: Whether a convolution precedes the merge on the second input.
        input_conv_cfg: Config of these convolutions.
        input_norm_cfg: Config of their norms.
        upsample_mode: `"nearest"` or `"bilinear"`.

    Raises:
        ValueError: If `upsample_mode` is another.
    """

    def __init__(
        self,
        fused_channels: int | None = 256,
        out_channels: int | None = 256,
        with_out_conv: bool = True,
        out_conv_cfg: Mapping[str, Any] = _OUT_CONV,
        out_norm_cfg: Mapping[str, Any] | None = None,
        out_conv_order: tuple[str, ...] = ("act", "conv", "norm"),
        with_input1_conv: bool = False,
        with_input2_conv: bool = False,
        input_conv_cfg: Mapping[str, Any] | None = None,
        input_norm_cfg: Mapping[str, Any] | None = None,
        upsample_mode: str = "nearest",
    ) -> None:
        super().__init__()
        if upsample_mode not in ("nearest", "bilinear"):
            raise ValueError(f"upsample_mode must be nearest or bilinear, got {upsample_mode!r}")
        self.with_out_conv = with_out_conv
        self.with_input1_conv = with_input1_conv
        self.with_input2_conv = with_input2_conv
        self.upsample_mode = upsample_mode
        module: Any = ConvModule  # mmcv's callers pass None for channels that are not used
        if with_out_conv:
            self.out_conv = module(
                fused_channels,
                out_channels,
                **out_conv_cfg,
                norm_cfg=out_norm_cfg,
                order=out_conv_order,
            )
        options = {"conv_cfg": input_conv_cfg, "norm_cfg": input_norm_cfg, "bias": True}
        for name, is_used in (
            ("input1_conv", with_input1_conv),
            ("input2_conv", with_input2_conv),
        ):
            convolution = (
                module(out_channels, out_channels, 3, padding=1, **options)
                if is_used
                else nn.Sequential()
            )
            self.add_module(name, convolution)

    def forward(
        self, x1: torch.Tensor, x2: torch.Tensor, out_size: tuple[int, int] | None = None
    ) -> torch.Tensor:
        """Merge two feature maps.

        Args:
            x1: `(N, C, H1, W1)`.
            x2: `(N, C, H2, W2)`.
            out_size: Height and width of the result; those of the larger input by default.

        Returns:
            The merged map.
        """
        size = tuple(out_size or max(x1.shape[2:], x2.shape[2:]))
        merged = self._binary_op(
            self._resize(self.get_submodule("input1_conv")(x1), size),
            self._resize(self.get_submodule("input2_conv")(x2), size),
        )
        return self.out_conv(merged) if self.with_out_conv else merged

    def _binary_op(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define _binary_op")

    def _resize(self, x: torch.Tensor, size: tuple[int, ...]) -> torch.Tensor:
        if x.shape[-2:] == size:
            return x
        if x.shape[-2:] < size:
            return F.interpolate(x, size=size, mode=self.upsample_mode)
        (rows, columns), (height, width) = x.shape[-2:], size
        down, right = -rows % height, -columns % width
        x = F.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))
        kernel = x.shape[-2] // height, x.shape[-1] // width
        return F.max_pool2d(x, kernel_size=kernel, stride=kernel)


class SumCell(BaseMergeCell):
    """A merge cell that adds. Arguments as for `BaseMergeCell`."""

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__(in_channels, out_channels, **kwargs)

    def _binary_op(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        return x1 + x2


class ConcatCell(BaseMergeCell):
    """A merge cell that concatenates channels. Arguments as for `BaseMergeCell`."""

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__(in_channels * 2, out_channels, **kwargs)

    def _binary_op(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        return torch.cat([x1, x2], dim=1)


class GlobalPoolingCell(BaseMergeCell):
    """A merge cell that weights the first input by the global average of the second.

    Arguments as for `BaseMergeCell`.
    """

    def __init__(
        self, in_channels: int | None = None, out_channels: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(in_channels, out_channels, **kwargs)
        self.global_pool = nn.AdaptiveAvgPool2d((1, 1))

    def _binary_op(self, x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
        weights: torch.Tensor = self.global_pool(x2).sigmoid()
        return x2 + weights * x1
