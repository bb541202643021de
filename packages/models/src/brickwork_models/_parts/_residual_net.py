"""Base class of the models that are a table of residual blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import mul
from typing import Unpack

from brickwork_layers import build_conv_layer, build_norm_layer
from torch import nn

from brickwork_models._typing import Config
from brickwork_models.errors import ArchitectureError

from ._backbone import Backbone, BackboneOptions
from ._residual_block import BN, ResidualBlock
from ._residual_stage import residual_stage


@dataclass(frozen=True)
class StageRow:
    """A stage in the table of a residual model.

    Attributes:
        planes: Planes of the blocks.
        blocks: Number of blocks.
        options: Further arguments of the blocks.
        first: Further arguments of the first block.
    """

    planes: int
    blocks: int
    options: Config = field(default_factory=dict)
    first: Config = field(default_factory=dict)


@dataclass(frozen=True)
class Stem:
    """Layers before the first stage.

    Attributes:
        kernel_size: Kernel size of the convolution.
        stride: Stride of the convolution.
        pool: Whether a 3x3 max pooling of stride 2 follows.
        deep: Whether three 3x3 convolutions replace the single one.
    """

    kernel_size: int
    stride: int = 2
    pool: bool = True
    deep: bool = False


STEM_7X7 = Stem(7)
STEM_DEEP = Stem(3, deep=True)
STEM_3X3 = Stem(3, pool=False)
STEM_CIFAR = Stem(3, stride=1, pool=False)


class ResidualNetOptions(BackboneOptions, total=False):
    """Keyword arguments that all residual models share, with the defaults of :class:`ResNet`."""

    in_channels: int
    strides: Sequence[int]
    dilations: Sequence[int]
    out_indices: Sequence[int]
    style: str
    avg_down: bool
    conv_cfg: Config | None
    norm_cfg: Config | None
    dcn: Config | None
    stage_with_dcn: Sequence[bool]
    plugins: Sequence[Config] | None
    with_cp: bool
    zero_init_residual: bool


class ResidualNet(Backbone):
    """A stem, stages of residual blocks and a classifier, built from a table.

    Args:
        block: Class of the blocks.
        rows: The table, one row per stage.
        stem: Layers before the first stage.
        stem_channels: Output channels of the stem.
        **options: As of :class:`ResNet`.
    """

    def __init__(
        self,
        block: type[ResidualBlock],
        rows: Sequence[StageRow],
        *,
        stem: Stem,
        stem_channels: int,
        in_channels: int = 3,
        strides: Sequence[int] = (1, 2, 2, 2),
        dilations: Sequence[int] = (1, 1, 1, 1),
        out_indices: Sequence[int] = (0, 1, 2, 3),
        style: str = "pytorch",
        avg_down: bool = False,
        conv_cfg: Config | None = None,
        norm_cfg: Config | None = None,
        dcn: Config | None = None,
        stage_with_dcn: Sequence[bool] = (),
        plugins: Sequence[Config] | None = None,
        with_cp: bool = False,
        zero_init_residual: bool = True,
        **options: Unpack[BackboneOptions],
    ) -> None:
        for argument, value in (("strides", strides), ("dilations", dilations)):
            if len(value) != len(rows):
                allowed = f"a sequence of length {len(rows)}, one item per stage"
                raise ArchitectureError(type(self).__name__, argument, value, allowed)
        if dcn is not None and len(stage_with_dcn) != len(rows):
            allowed = f"a sequence of length {len(rows)}, one item per stage"
            raise ArchitectureError(type(self).__name__, "stage_with_dcn", stage_with_dcn, allowed)
        options.setdefault("norm_eval", True)
        super().__init__(num_stages=len(rows), out_indices=out_indices, **options)
        layers: Config = {"conv_cfg": conv_cfg, "norm_cfg": norm_cfg or BN}
        self._add_stem(stem, in_channels, stem_channels, **layers)
        channels = stem_channels
        for i, row in enumerate(rows):
            stage = residual_stage(
                block,
                channels,
                row.planes,
                row.blocks,
                stride=strides[i],
                dilation=dilations[i],
                style=style,
                avg_down=avg_down,
                with_cp=with_cp,
                zero_init_last=zero_init_residual and self.uses_default_init,
                plugins=_plugins_of_stage(plugins, i, len(rows)),
                first=row.first,
                **({"dcn": dcn} if dcn is not None and stage_with_dcn[i] else {}),
                **layers,
                **row.options,
            )
            channels = row.planes * block.expansion
            self.add_module(f"layer{i + 1}", stage)
            self.stage_names += (f"layer{i + 1}",)
            self.stage_channels += (channels,)
        stem_stride = stem.stride * (2 if stem.pool else 1)
        self.stage_strides = tuple(stem_stride * s for s in accumulate(strides, mul))
        self._add_classifier()
        self._freeze()

    def _add_stem(
        self, stem: Stem, in_channels: int, channels: int, conv_cfg: Config | None, norm_cfg: Config
    ) -> None:
        if stem.deep:
            self.stem = deep_stem(in_channels, channels, conv_cfg, norm_cfg)
            self.stem_names = ("stem",)
        else:
            self.conv1 = build_conv_layer(
                conv_cfg,
                in_channels,
                channels,
                kernel_size=stem.kernel_size,
                stride=stem.stride,
                padding=stem.kernel_size // 2,
                bias=False,
            )
            self.norm1_name, norm1 = build_norm_layer(norm_cfg, channels, postfix=1)
            self.add_module(self.norm1_name, norm1)
            self.relu = nn.ReLU(inplace=True)
            self.stem_names = ("conv1", self.norm1_name, "relu")
        if stem.pool:
            self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
            self.stem_names += ("maxpool",)

    @property
    def res_layers(self) -> list[str]:
        """Names of the stages, as mmcv calls them."""
        return list(self.stage_names)

    @property
    def feat_dim(self) -> int:
        """Channels of the last stage, as mmcv calls them."""
        return self.stage_channels[-1]


def deep_stem(
    in_channels: int, channels: int, conv_cfg: Config | None, norm_cfg: Config
) -> nn.Sequential:
    """Build a stem of three 3x3 convolutions, each with its norm and activation.

    From "Bag of Tricks for Image Classification", arXiv:1812.01187 (ResNet-C).

    Args:
        in_channels: Number of image channels.
        channels: Number of output channels; the first two convolutions have half as many.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms.

    Returns:
        The stem, of stride 2.
    """
    half = channels // 2
    layers: list[nn.Module] = []
    for inputs, outputs, stride in ((in_channels, half, 2), (half, half, 1), (half, channels, 1)):
        layers += [
            build_conv_layer(
                conv_cfg, inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False
            ),
            build_norm_layer(norm_cfg, outputs)[1],
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def _plugins_of_stage(
    plugins: Sequence[Config] | None, stage: int, num_stages: int
) -> list[Config]:
    """Select the plugins of one stage."""
    for plugin in plugins or ():
        stages = plugin.get("stages")
        if stages is not None and len(stages) != num_stages:
            allowed = f"a sequence of {num_stages} booleans, one per stage"
            raise ArchitectureError("plugin", "stages", stages, allowed)
    return [p for p in plugins or () if p.get("stages") is None or p["stages"][stage]]
