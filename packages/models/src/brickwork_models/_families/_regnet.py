"""RegNet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

import torch
from torch import Tensor, nn

from brickwork_models._entries._entry import Entry
from brickwork_models._entries._key_map import MMCLS, KeyMap
from brickwork_models._entries._preprocessing import PYCLS, Preprocessing
from brickwork_models._entries._table import register_family
from brickwork_models._entries._weights import V1, V2, Weights, mmpretrain, open_mmlab, torchvision
from brickwork_models._parts._make_divisible import make_divisible
from brickwork_models._parts._residual_block import Bottleneck
from brickwork_models._parts._residual_net import (
    STEM_3X3,
    ResidualNet,
    ResidualNetOptions,
    StageRow,
)
from brickwork_models._registry import MODELS
from brickwork_models.errors import ArchitectureError

__all__ = ["RegNet"]


@dataclass(frozen=True)
class Design:
    """Parameters of a model in the design space.

    The width of block j is ``w0 + wa * j``, quantized to ``w0 * wm ** k``; blocks of equal
    width form a stage.

    Attributes:
        depth: Number of blocks.
        w0: Width of the first block.
        wa: Slope of the widths.
        wm: Ratio of the widths of adjacent stages.
        group_w: Channels per group.
        bot_mul: Width of the 3x3 convolution divided by the width of the block.
        se_ratio: Squeezed channels divided by the input channels of a block; 0 (RegNetX) for
            no squeeze-and-excitation.
        divisible: Whether widths are rounded to multiples of the group width by
            :func:`make_divisible`, as in torchvision, or with halves to even, as in the
            paper's code.
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
        """Compute the stages.

        Returns:
            Width, number of blocks and group width of each stage.
        """
        widths: dict[int, int] = {}
        for j in range(self.depth):
            k = round(math.log((self.w0 + self.wa * j) / self.w0) / math.log(self.wm))
            width = round(self.w0 * self.wm**k / 8) * 8
            widths[width] = widths.get(width, 0) + 1
        stages = []
        for width, blocks in widths.items():
            inner = int(width * self.bot_mul)
            group = min(self.group_w, inner)
            if self.divisible:
                rounded = make_divisible(inner, group)
            else:
                rounded = group * round(inner / group)
            stages.append((round(rounded / self.bot_mul), blocks, group))
        return stages


# Tables in the appendix of the paper; the three largest are from SWAG and SEER (arXiv:2201.08371,
# arXiv:2202.08360). Names as in the authors' model zoo; `_tv` marks torchvision's rounding.
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
    """Squeeze-and-excitation: channel attention from globally pooled features.

    From "Squeeze-and-Excitation Networks", arXiv:1709.01507.

    Args:
        channels: Number of input and output channels.
        squeezed: Number of channels between the two convolutions.
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
    """The paper's X block, a bottleneck without expansion; with squeeze-and-excitation its Y block.

    Args:
        inplanes: Number of input channels.
        planes: Number of output channels.
        *args: As of :class:`Bottleneck`.
        se_ratio: Squeezed channels divided by ``inplanes``; 0 for none.
        width: Channels of the 3x3 convolution; ``planes`` by default.
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

    def _inner(self, x: Tensor) -> Tensor:
        out: Tensor = self.se(super()._inner(x))
        return out


@MODELS.register_module()
class RegNet(ResidualNet):
    """RegNetX and RegNetY.

    From "Designing Network Design Spaces", arXiv:2003.13678.

    Args:
        arch: Name such as ``"regnetx_3.2gf"`` or ``"regnety_800mf"``, or the parameters
            ``dict(w0=88, wa=26.31, wm=2.25, group_w=48, depth=25, bot_mul=1.0)``.
        stem_channels: Output channels of the stem.
        base_channels: No effect; accepted as in mmdet.
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
                raise ArchitectureError("RegNet", "arch", arch, tuple(DESIGNS))
            design = DESIGNS[arch]
        else:
            design = Design(**arch)
        rows = []
        for width, blocks, group in design.stages():
            inner = round(width * design.bot_mul)
            block_options = {"width": inner, "groups": inner // group, "se_ratio": design.se_ratio}
            rows.append(StageRow(width, blocks, block_options))
        options.setdefault("strides", (2,) * len(rows))
        options.setdefault("dilations", (1,) * len(rows))
        options.setdefault("out_indices", tuple(range(len(rows))))
        super().__init__(RegNetBlock, rows, stem=STEM_3X3, stem_channels=stem_channels, **options)
        self.design = design


def _torchvision_key_map() -> KeyMap:
    convolutions = {"a": 1, "b": 2, "c": 3}
    return [
        (r"^stem\.0\.", "conv1."),
        (r"^stem\.1\.", "bn1."),
        (r"^trunk_output\.block(\d)\.block\d-(\d+)\.", r"layer\1.\2."),
        (r"\.proj\.", ".downsample."),
        (r"\.f\.se\.", ".se."),
        *((rf"\.f\.{letter}\.0\.", f".conv{i}.") for letter, i in convolutions.items()),
        *((rf"\.f\.{letter}\.1\.", f".bn{i}.") for letter, i in convolutions.items()),
    ]


MAX_BLOCKS = 27

KEY_MAPS: dict[str, KeyMap] = {
    "torchvision/regnet": _torchvision_key_map(),
    "timm/regnet": [
        (r"^stem\.conv\.", "conv1."),
        (r"^stem\.bn\.", "bn1."),
        (r"^head\.fc\.", "fc."),
        *((rf"^s(\d)\.b{block + 1}\.", rf"layer\1.{block}.") for block in range(MAX_BLOCKS)),
        (r"\.downsample\.conv\.", ".downsample.0."),
        (r"\.downsample\.bn\.", ".downsample.1."),
        (r"\.conv(\d)\.conv\.", r".conv\1."),
        (r"\.conv(\d)\.bn\.", r".bn\1."),
    ],
}

# Name in torchvision, and the tags of its weights.
TORCHVISION = {
    "regnetx_400mf_tv": ("regnet_x_400mf", (V1, V2)),
    "regnetx_800mf": ("regnet_x_800mf", (V1, V2)),
    "regnetx_1.6gf": ("regnet_x_1_6gf", (V1, V2)),
    "regnetx_3.2gf": ("regnet_x_3_2gf", (V1, V2)),
    "regnetx_8.0gf": ("regnet_x_8gf", (V1, V2)),
    "regnetx_16gf": ("regnet_x_16gf", (V1, V2)),
    "regnetx_32gf": ("regnet_x_32gf", (V1, V2)),
    "regnety_400mf": ("regnet_y_400mf", (V1, V2)),
    "regnety_800mf_tv": ("regnet_y_800mf", (V1, V2)),
    "regnety_1.6gf": ("regnet_y_1_6gf", (V1, V2)),
    "regnety_3.2gf": ("regnet_y_3_2gf", (V1, V2)),
    "regnety_8.0gf_tv": ("regnet_y_8gf", (V1, V2)),
    "regnety_16gf": ("regnet_y_16gf", (V1, V2)),
    "regnety_32gf": ("regnet_y_32gf", (V1, V2)),
    "regnety_128gf": ("regnet_y_128gf", ()),
}
# The models that were also trained by SWAG, arXiv:2201.08371: end to end at 384 pixels, and with
# a linear classifier on frozen features.
SWAG_MODELS = ("regnety_16gf", "regnety_32gf", "regnety_128gf")
SWAG_SIZES = {"imagenet1k_swag_e2e_v1": 384, "imagenet1k_swag_linear_v1": 224}
# The sizes of RegNetX that the paper's authors and mmpretrain trained, with mmpretrain's batches.
BATCHES = {
    "400mf": "8xb128",
    "800mf": "8xb128",
    "1.6gf": "8xb128",
    "3.2gf": "8xb64",
    "4.0gf": "8xb64",
    "6.4gf": "8xb64",
    "8.0gf": "8xb64",
    "12gf": "8xb64",
}


def _swag(name: str) -> Iterator[Weights]:
    for tag, size in SWAG_SIZES.items():
        preprocess = Preprocessing(size, crop=1.0, interpolation="bicubic")
        yield from torchvision(name, tag, preprocess=preprocess, license_id="CC-BY-NC-4.0")


def _timm_name(arch: str) -> str:
    """Return the name in timm: ``regnetx_032`` for ``regnetx_3.2gf``."""
    kind, size, *variant = arch.split("_")
    tenths = float(size[:-2]) * (10 if size.endswith("gf") else 0.01)
    return "_".join((kind, f"{round(tenths):03}", *variant))


def _entries() -> Iterator[Entry]:
    maps = {**MMCLS, "torchvision": "torchvision/regnet", "timm": "timm/regnet"}
    for name in DESIGNS:
        aliases: tuple[str, ...] = (_timm_name(name),)
        weights: tuple[Weights, ...] = ()
        if name in TORCHVISION:
            torchvision_name, tags = TORCHVISION[name]
            aliases += (torchvision_name,)
            weights += torchvision(torchvision_name, *tags)
            if name in SWAG_MODELS:
                weights += tuple(_swag(torchvision_name))
        size = name.removeprefix("regnetx_")
        if size in BATCHES:
            weights += open_mmlab(name, PYCLS, "MIT")
            arch = f"regnetx-{size}"
            weights += mmpretrain(arch, f"{arch}_{BATCHES[size]}_in1k", preprocess=PYCLS)
        yield Entry(name, "RegNet", RegNet, {"arch": name}, weights, aliases, maps)


register_family(_entries(), KEY_MAPS)
