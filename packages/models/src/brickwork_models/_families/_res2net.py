"""Res2Net."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

import torch
from brickwork_layers import build_conv_layer, build_norm_layer
from torch import Tensor, nn

from brickwork_models._entries._entry import Entry
from brickwork_models._entries._key_map import BACKBONE, MMCLS
from brickwork_models._entries._table import register_family
from brickwork_models._entries._weights import mmcls, open_mmlab
from brickwork_models._parts._residual_block import BlockOptions, BottleneckBase
from brickwork_models._parts._residual_net import (
    STEM_7X7,
    STEM_DEEP,
    ResidualNet,
    ResidualNetOptions,
    StageRow,
)
from brickwork_models._registry import MODELS
from brickwork_models.errors import ArchitectureError

from ._resnet import DEEP_STEM, DEPTHS

__all__ = ["Res2Net"]


class Bottle2neck(BottleneckBase):
    """Bottleneck with a hierarchy of narrow 3x3 convolutions instead of a single one.

    The channels are split into ``scales`` groups. Each group but the last is convolved after
    the output of the previous group was added; in the first block of a stage nothing is added,
    and the last group may be pooled. From "Res2Net: A New Multi-scale Backbone Architecture",
    arXiv:1904.01169.

    Args:
        inplanes: Number of input channels.
        planes: Number of output channels divided by 4.
        stride: Stride of the block.
        dilation: Dilation of the 3x3 convolutions.
        downsample: Module that maps the input to the shape of the output.
        style: Which convolutions have the stride: ``"pytorch"`` the 3x3 ones, ``"caffe"`` the
            first 1x1.
        with_cp: Whether activations are recomputed in the backward pass.
        scales: Number of groups.
        group_width: Channels per group.
        first: Whether the block is the first of its stage.
        pool: Whether the last group is pooled.
        **options: See :class:`BlockOptions`.
    """

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        dilation: int = 1,
        downsample: nn.Module | None = None,
        style: str = "pytorch",
        with_cp: bool = False,
        *,
        scales: int = 4,
        group_width: int = 26,
        first: bool = False,
        pool: bool = False,
        **options: Unpack[BlockOptions],
    ) -> None:
        super().__init__(stride, dilation, style, with_cp, **options)
        self.scales, self.group_width, self.first = scales, group_width, first
        width, outplanes = group_width * scales, planes * self.expansion
        first_stride, inner_stride = self._strides()
        self._add_conv(1, inplanes, width, 1, stride=first_stride)
        self.convs = nn.ModuleList(
            build_conv_layer(
                self.conv_cfg,
                group_width,
                group_width,
                kernel_size=3,
                stride=inner_stride,
                padding=dilation,
                dilation=dilation,
                bias=False,
            )
            for _ in range(scales - 1)
        )
        self.bns = nn.ModuleList(
            build_norm_layer(self.norm_cfg, group_width)[1] for _ in range(scales - 1)
        )
        self.pool = nn.AvgPool2d(3, inner_stride, padding=1) if pool else nn.Identity()
        self._add_conv(3, width, outplanes, 1)
        self._add_shortcut_and_plugins(downsample, width, outplanes)

    def _inner(self, x: Tensor) -> Tensor:
        groups = torch.split(x, self.group_width, dim=1)
        outs: list[Tensor] = []
        for i, (conv, norm) in enumerate(zip(self.convs, self.bns, strict=True)):
            group = groups[i] if i == 0 or self.first else groups[i] + outs[-1]
            outs.append(self.relu(norm(conv(group.contiguous()))))
        return torch.cat((*outs, self.pool(groups[-1])), dim=1)


@MODELS.register_module()
class Res2Net(ResidualNet):
    """Res2Net, by default variant v1d with a deep stem and average pooling in the shortcuts.

    From "Res2Net: A New Multi-scale Backbone Architecture", arXiv:1904.01169.

    Args:
        depth: 50, 101 or 152.
        scales: Number of groups of a block.
        base_width: Channels per group in the first stage.
        deep_stem: Whether three 3x3 convolutions replace the 7x7 one.
        pool_unstrided: Whether the first block of a stage pools its last group even if its
            stride is 1, as the paper's code and timm do and mmdet does not.
        **options: As of :class:`ResNet`; ``avg_down`` is true by default.
    """

    def __init__(
        self,
        depth: int,
        *,
        scales: int = 4,
        base_width: int = 26,
        deep_stem: bool = True,
        pool_unstrided: bool = False,
        **options: Unpack[ResidualNetOptions],
    ) -> None:
        if depth not in (50, 101, 152):
            raise ArchitectureError("Res2Net", "depth", depth, (50, 101, 152))
        if scales < 2:
            raise ArchitectureError("Res2Net", "scales", scales, "at least 2 (1 is a ResNet)")
        strides = options.get("strides", (1, 2, 2, 2))
        rows = [
            StageRow(
                64 * 2**i,
                blocks,
                options={"scales": scales, "group_width": base_width * 2**i},
                first={"first": True, "pool": stride != 1 or pool_unstrided},
            )
            for i, (blocks, stride) in enumerate(zip(DEPTHS[depth][1], strides, strict=True))
        ]
        options.setdefault("avg_down", True)
        stem = STEM_DEEP if deep_stem else STEM_7X7
        super().__init__(Bottle2neck, rows, stem=stem, stem_channels=64, **options)
        self.depth = depth


# Depth, channels per group, groups, name behind `mmcls://`.
SIZES = (
    (50, 14, 8, "res2net50_w14"),
    (50, 26, 4, None),
    (50, 26, 6, None),
    (50, 26, 8, "res2net50_w26"),
    (50, 48, 2, None),
    (101, 26, 4, "res2net101_w26"),
)


def _entries() -> Iterator[Entry]:
    family = "Res2Net"
    name = "res2net101_v1d_26w_4s"
    yield Entry(name, family, Res2Net, {"depth": 101}, open_mmlab(name), key_maps=BACKBONE)
    plain = {"deep_stem": False, "avg_down": False, "pool_unstrided": True}
    for depth, width, scales, mmcls_name in SIZES:
        yield Entry(
            f"res2net{depth}_{width}w_{scales}s",
            family,
            Res2Net,
            {"depth": depth, "base_width": width, "scales": scales, **plain},
            mmcls(mmcls_name) if mmcls_name else (),
            key_maps={**MMCLS, "timm": "timm/same"},
        )
    for depth in (50, 101):
        arguments = {"depth": depth, "pool_unstrided": True}
        yield Entry(f"res2net{depth}d", family, Res2Net, arguments, key_maps=DEEP_STEM)


register_family(_entries())
