"""Stages: sequences of residual blocks."""

from __future__ import annotations

from typing import Any

from brickwork_base import Sequential
from brickwork_layers import build_conv_layer, build_norm_layer
from torch import nn

from brickwork_models._typing import Config

from ._residual_block import BN


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
    """Build a sequence of blocks, the first of which has the stride and a projected shortcut.

    Args:
        block: Class of the blocks, with its ``expansion``.
        inplanes: Number of input channels.
        planes: Planes of the blocks.
        blocks: Number of blocks.
        stride: Stride of the first block.
        dilation: Dilation of all blocks.
        avg_down: Whether the shortcut downsamples by average pooling instead of a stride.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms.
        first: Further arguments of the first block.
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
    layer_configs = {"conv_cfg": conv_cfg, "norm_cfg": norm_cfg}
    options |= {name: cfg for name, cfg in layer_configs.items() if cfg is not None}
    layers = [block(inplanes, planes, stride, dilation, downsample, **options, **(first or {}))]
    layers += [block(outplanes, planes, 1, dilation, **options) for _ in range(1, blocks)]
    return Sequential(*layers)


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
    """Build a sequence of residual blocks.

    Args:
        block: Class of the blocks, called as
            ``block(inplanes, planes, stride, dilation, downsample, style=..., with_cp=...)``.
        inplanes: Number of input channels.
        planes: Planes of the blocks.
        blocks: Number of blocks.
        stride: Stride of the first block.
        dilation: Dilation of all blocks.
        style: ``"pytorch"`` or ``"caffe"``, see :class:`Bottleneck`.
        with_cp: Whether activations are recomputed in the backward pass.

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
