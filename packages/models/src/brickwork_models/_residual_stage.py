"""Residual blocks in a row."""

from __future__ import annotations

from typing import Any

from brickwork_base import Sequential
from brickwork_layers import build_conv_layer, build_norm_layer
from torch import nn

from ._residual import BN
from ._typing import Config


def residual_stage(
    block: type[nn.Module],
    inplanes: int,
    planes: int,
    blocks: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    avg_down: bool = False,
    conv_cfg: Config | None = None,
    norm_cfg: Config | None = None,
    first: Config | None = None,
    **options: Any,
) -> Sequential:
    """Put blocks in a row; the first one strides and fits its input to the others.

    Args:
        block: The class of the blocks, with its ``expansion``.
        inplanes: Channels that come in.
        planes: Planes of the blocks.
        blocks: Number of blocks.
        stride: Stride of the first block.
        dilation: Dilation of all blocks.
        avg_down: Whether the shortcut strides by average pooling, not in its convolution.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms.
        first: Further arguments of the first block alone.
        **options: Further arguments of every block.

    Returns:
        The stage.
    """
    outplanes = planes * int(getattr(block, "expansion", 1))
    downsample: nn.Sequential | None = None
    if stride != 1 or inplanes != outplanes:
        pool = [nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False)]
        downsample = nn.Sequential(
            *(pool if avg_down else ()),
            build_conv_layer(
                conv_cfg,
                inplanes,
                outplanes,
                kernel_size=1,
                stride=1 if avg_down else stride,
                bias=False,
            ),
            build_norm_layer(norm_cfg or BN, outplanes)[1],
        )
    layers = {"conv_cfg": conv_cfg, "norm_cfg": norm_cfg}
    options |= {name: cfg for name, cfg in layers.items() if cfg is not None}
    row = [block(inplanes, planes, stride, dilation, downsample, **options, **(first or {}))]
    row += [block(outplanes, planes, 1, dilation, **options) for _ in range(1, blocks)]
    return Sequential(*row)


def make_res_layer(
    block: type[nn.Module],
    inplanes: int,
    planes: int,
    blocks: int,
    stride: int = 1,
    dilation: int = 1,
    style: str = "pytorch",
    with_cp: bool = False,
) -> nn.Module:
    """Put residual blocks in a row.

    Args:
        block: The class of the blocks, called as
            ``block(inplanes, planes, stride, dilation, downsample, style=..., with_cp=...)``.
        inplanes: Channels that come in.
        planes: Planes of the blocks.
        blocks: Number of blocks.
        stride: Stride of the first block.
        dilation: Dilation of all blocks.
        style: ``"pytorch"`` or ``"caffe"``, see :class:`Bottleneck`.
        with_cp: Whether blocks are recomputed backward.

    Returns:
        The stage, an ``nn.Sequential``.
    """
    return residual_stage(
        block,
        inplanes,
        planes,
        blocks,
        stride=stride,
        dilation=dilation,
        style=style,
        with_cp=with_cp,
    )
