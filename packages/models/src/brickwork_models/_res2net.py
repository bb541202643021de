"""Res2Net."""

from __future__ import annotations

from typing import Unpack

import torch
from brickwork_layers import build_conv_layer, build_norm_layer
from torch import Tensor, nn

from ._registry import MODELS
from ._residual import BlockOptions, NarrowMiddle
from ._residual_net import ResidualNet, ResidualNetOptions, Row
from ._resnet import DEPTHS
from .errors import ArchitectureError


class Bottle2neck(NarrowMiddle):
    """A bottleneck whose 3x3 convolution is a chain of narrower ones.

    The channels are split into ``scales`` groups; each but the last is convolved, with the
    group before it added; in the first block of a stage nothing is added and the last group
    may be pooled. From "Res2Net: A New Multi-scale Backbone Architecture", arXiv:1904.01169.

    Args:
        inplanes: Channels that come in.
        planes: A fourth of the channels that go out.
        stride: Stride of the block.
        dilation: Dilation of the 3x3 convolutions.
        downsample: What makes the input fit the output.
        style: ``"pytorch"`` strides in the 3x3 convolutions, ``"caffe"`` in the first 1x1.
        with_cp: Whether to recompute the block backward.
        scales: Number of groups.
        group_width: Channels of a group.
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
        at_entry, at_middle = self._strides()
        self._add_conv(1, inplanes, width, 1, stride=at_entry)
        self.convs = nn.ModuleList(
            build_conv_layer(
                self.conv_cfg,
                group_width,
                group_width,
                kernel_size=3,
                stride=at_middle,
                padding=dilation,
                dilation=dilation,
                bias=False,
            )
            for _ in range(scales - 1)
        )
        self.bns = nn.ModuleList(
            build_norm_layer(self.norm_cfg, group_width)[1] for _ in range(scales - 1)
        )
        self.pool = nn.AvgPool2d(3, at_middle, padding=1) if pool else nn.Identity()
        self._add_conv(3, width, outplanes, 1)
        self._close_bottleneck(downsample, width, outplanes)

    def _middle(self, x: Tensor) -> Tensor:
        groups = torch.split(x, self.group_width, dim=1)
        outs: list[Tensor] = []
        for i, (conv, norm) in enumerate(zip(self.convs, self.bns, strict=True)):
            group = groups[i] if i == 0 or self.first else groups[i] + outs[-1]
            outs.append(self.relu(norm(conv(group.contiguous()))))
        return torch.cat((*outs, self.pool(groups[-1])), dim=1)


@MODELS.register_module()
class Res2Net(ResidualNet):
    """Res2Net, by default the v1d of the checkpoints: deep stem, pooling in the shortcuts.

    From "Res2Net: A New Multi-scale Backbone Architecture", arXiv:1904.01169.

    Args:
        depth: 50, 101 or 152.
        scales: Groups of a block.
        base_width: Channels of a group in the first stage.
        deep_stem: Three 3x3 convolutions for the 7x7 one.
        pool_unstrided: Whether a stage's first block pools its last group where it does not
            stride, too: as the paper's code (and timm) does, but detection code does not.
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
            raise ArchitectureError("Res2Net", "scales", scales, "at least 2; 1 is a ResNet")
        strides = options.get("strides", (1, 2, 2, 2))
        rows = [
            Row(
                64 * 2**i,
                blocks,
                options={"scales": scales, "group_width": base_width * 2**i},
                first={"first": True, "pool": stride != 1 or pool_unstrided},
            )
            for i, (blocks, stride) in enumerate(zip(DEPTHS[depth][1], strides, strict=True))
        ]
        options.setdefault("avg_down", True)
        stem = "deep" if deep_stem else "7x7"
        super().__init__(Bottle2neck, rows, stem=stem, stem_channels=64, **options)
        self.depth = depth
