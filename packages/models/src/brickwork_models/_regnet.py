"""RegNet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Unpack

import torch
from torch import Tensor, nn

from ._registry import MODELS
from ._residual import Bottleneck
from ._residual_net import ResidualNet, ResidualNetOptions, Row
from ._rounding import make_divisible
from .errors import ArchitectureError


@dataclass(frozen=True)
class Design:
    """A network of the design space, in the paper's four numbers and the group width.

    The width of block j is ``w0 + wa * j``, quantised to ``w0 * wm ** k``; blocks of one
    width make a stage.

    Attributes:
        depth: Number of blocks.
        w0: Width of the first block.
        wa: Slope of the widths.
        wm: Ratio of the widths of neighbouring stages.
        group_w: Channels of a group.
        bot_mul: Width of the 3x3 convolution over the width of the block.
        se_ratio: Squeezed channels over the channels that come into a block; 0 for none,
            which is RegNetX.
        divisible: Whether a width becomes a multiple of its groups as in torchvision, half a
            group up and never down by more than a tenth; the paper's code rounds halves to even.
    """

    depth: int
    w0: int
    wa: float
    wm: float
    group_w: int
    bot_mul: float = 1.0
    se_ratio: float = 0.0
    divisible: bool = False

    def stages(self) -> list[tuple[int, int, int]]:
        """Work out the stages.

        Returns:
            Width, number of blocks and group width of each stage.
        """
        widths: dict[int, int] = {}
        for j in range(self.depth):
            k = round(math.log((self.w0 + self.wa * j) / self.w0) / math.log(self.wm))
            width = round(self.w0 * self.wm**k / 8) * 8
            widths[width] = widths.get(width, 0) + 1
        rows = []
        for width, blocks in widths.items():
            inner = int(width * self.bot_mul)
            group = min(self.group_w, inner)
            whole = make_divisible(inner, group) if self.divisible else group * round(inner / group)
            rows.append((round(whole / self.bot_mul), blocks, group))
        return rows


# Tables of the appendix of the paper, and the three largest, of SWAG and SEER (arXiv:2201.08371,
# arXiv:2202.08360); names as the authors' model zoo spells them, ``_tv`` as torchvision rounds.
DESIGNS = {
    "regnetx_200mf": Design(13, 24, 36.44, 2.49, 8),
    "regnetx_400mf": Design(22, 24, 24.48, 2.54, 16),
    "regnetx_400mf_tv": Design(22, 24, 24.48, 2.54, 16, divisible=True),
    "regnetx_600mf": Design(16, 48, 36.97, 2.24, 24),
    "regnetx_800mf": Design(16, 56, 35.73, 2.28, 16),
    "regnetx_1.6gf": Design(18, 80, 34.01, 2.25, 24),
    "regnetx_3.2gf": Design(25, 88, 26.31, 2.25, 48),
    "regnetx_4.0gf": Design(23, 96, 38.65, 2.43, 40),
    "regnetx_6.4gf": Design(17, 184, 60.83, 2.07, 56),
    "regnetx_8.0gf": Design(23, 80, 49.56, 2.88, 120),
    "regnetx_12gf": Design(19, 168, 73.36, 2.37, 112),
    "regnetx_16gf": Design(22, 216, 55.59, 2.1, 128),
    "regnetx_32gf": Design(23, 320, 69.86, 2.0, 168),
    "regnety_200mf": Design(13, 24, 36.44, 2.49, 8, se_ratio=0.25),
    "regnety_400mf": Design(16, 48, 27.89, 2.09, 8, se_ratio=0.25),
    "regnety_600mf": Design(15, 48, 32.54, 2.32, 16, se_ratio=0.25),
    "regnety_800mf": Design(14, 56, 38.84, 2.4, 16, se_ratio=0.25),
    "regnety_800mf_tv": Design(14, 56, 38.84, 2.4, 16, se_ratio=0.25, divisible=True),
    "regnety_1.6gf": Design(27, 48, 20.71, 2.65, 24, se_ratio=0.25),
    "regnety_3.2gf": Design(21, 80, 42.63, 2.66, 24, se_ratio=0.25),
    "regnety_4.0gf": Design(22, 96, 31.41, 2.24, 64, se_ratio=0.25),
    "regnety_6.4gf": Design(25, 112, 33.22, 2.27, 72, se_ratio=0.25),
    "regnety_8.0gf": Design(17, 192, 76.82, 2.19, 56, se_ratio=0.25),
    "regnety_8.0gf_tv": Design(17, 192, 76.82, 2.19, 56, se_ratio=0.25, divisible=True),
    "regnety_12gf": Design(19, 168, 73.36, 2.37, 112, se_ratio=0.25),
    "regnety_16gf": Design(18, 200, 106.23, 2.48, 112, se_ratio=0.25),
    "regnety_32gf": Design(20, 232, 115.89, 2.53, 232, se_ratio=0.25),
    "regnety_64gf": Design(20, 352, 147.48, 2.4, 328, se_ratio=0.25),
    "regnety_128gf": Design(27, 456, 160.83, 2.52, 264, se_ratio=0.25),
    "regnety_256gf": Design(27, 640, 230.83, 2.53, 373, se_ratio=0.25),
}


class SqueezeExcite(nn.Module):
    """Scale each channel by what the pooled channels say.

    From "Squeeze-and-Excitation Networks", arXiv:1709.01507.

    Args:
        channels: Channels of the feature map.
        squeezed: Channels in between.
    """

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, channels, H, W)`` to the same shape."""
        pooled = nn.functional.adaptive_avg_pool2d(x, 1)
        return torch.sigmoid(self.fc2(self.relu(self.fc1(pooled)))) * x


class RegNetBlock(Bottleneck):
    """The paper's X block: a bottleneck as wide outside as inside; with SE its Y block.

    Args:
        inplanes: Channels that come in.
        planes: Channels that go out.
        *args: As of :class:`Bottleneck`.
        se_ratio: Squeezed channels over ``inplanes``; 0 for none.
        width: Channels of the 3x3 convolution; by default ``planes``.
        **options: As of :class:`Bottleneck`.
    """

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        *args: Any,
        se_ratio: float = 0.0,
        width: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(inplanes, planes, *args, width=width, **options)
        squeezed = round(inplanes * se_ratio)
        self.se = SqueezeExcite(width or planes, squeezed) if squeezed else nn.Identity()

    def _middle(self, x: Tensor) -> Tensor:
        out: Tensor = self.se(super()._middle(x))
        return out


@MODELS.register_module()
class RegNet(ResidualNet):
    """RegNetX and RegNetY.

    From "Designing Network Design Spaces", arXiv:2003.13678.

    Args:
        arch: A name such as ``"regnetx_3.2gf"`` or ``"regnety_800mf"``, or the numbers
            ``dict(w0=88, wa=26.31, wm=2.25, group_w=48, depth=25, bot_mul=1.0)``.
        stem_channels: Channels of the stem.
        base_channels: Without effect; the original takes it.
        **options: As of :class:`ResNet`; ``strides`` are 2 by default.
    """

    def __init__(
        self,
        arch: str | Mapping[str, Any],
        *,
        stem_channels: int = 32,
        base_channels: int = 32,
        **options: Unpack[ResidualNetOptions],
    ) -> None:
        if isinstance(arch, str):
            if arch not in DESIGNS:
                raise ArchitectureError("RegNet", "arch", arch, ", ".join(DESIGNS))
            design = DESIGNS[arch]
        else:
            design = Design(**arch)
        rows = [
            Row(
                width,
                blocks,
                {
                    "width": (inside := round(width * design.bot_mul)),
                    "groups": inside // group,
                    "se_ratio": design.se_ratio,
                },
            )
            for width, blocks, group in design.stages()
        ]
        options.setdefault("strides", (2,) * len(rows))
        options.setdefault("dilations", (1,) * len(rows))
        options.setdefault("out_indices", tuple(range(len(rows))))
        super().__init__(RegNetBlock, rows, stem="3x3", stem_channels=stem_channels, **options)
        self.design = design
