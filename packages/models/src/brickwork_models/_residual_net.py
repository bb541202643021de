"""The network that is a table of residual blocks: stem, stages, head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Unpack

from brickwork_layers import build_conv_layer, build_norm_layer
from torch import nn

from ._backbone import Backbone, BackboneOptions
from ._residual import BN, ResidualBlock
from ._residual_stage import residual_stage
from ._typing import Config
from .errors import ArchitectureError, UnsupportedOptionError


@dataclass(frozen=True)
class Row:
    """A row of the table of a residual network: blocks of one kind.

    Attributes:
        planes: Planes of the blocks.
        blocks: Number of blocks.
        options: Further arguments of the blocks.
        first: Further arguments of the first block alone.
    """

    planes: int
    blocks: int
    options: Config = field(default_factory=dict)
    first: Config = field(default_factory=dict)


class ResidualNetOptions(BackboneOptions, total=False):
    """Options that all residual networks share, with the defaults of :class:`ResNet`."""

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
    """A stem, stages of residual blocks and a head, from a table.

    Args:
        block: The class of the blocks.
        rows: The table: a row for each stage.
        stem: ``"7x7"``, ``"3x3"`` (without pooling) or ``"deep"`` (three 3x3).
        stem_channels: Channels of the stem.
        **options: As of :class:`ResNet`.
    """

    def __init__(
        self,
        block: type[ResidualBlock],
        rows: Sequence[Row],
        *,
        stem: str,
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
                allowed = f"one for each of {len(rows)} stages"
                raise ArchitectureError(type(self).__name__, argument, value, allowed)
        if dcn is not None or any(stage_with_dcn):
            raise UnsupportedOptionError(
                "dcn",
                "deformable convolutions need compiled operators, which no package here has. "
                "Leave it out, or register a layer of your own in CONV_LAYERS (say, around "
                "torchvision.ops.DeformConv2d) and name it in conv_cfg",
            )
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
                zero_init_last=zero_init_residual and self.initialises_itself,
                plugins=_of_stage(plugins, i, len(rows)),
                first=row.first,
                **layers,
                **row.options,
            )
            channels = row.planes * block.expansion
            self.add_module(f"layer{i + 1}", stage)
            self.stage_names += (f"layer{i + 1}",)
            self.stage_channels += (channels,)
        self._add_classifier()
        self._freeze()

    def _add_stem(
        self, kind: str, inputs: int, channels: int, conv_cfg: Config | None, norm_cfg: Config
    ) -> None:
        if kind == "deep":
            self.stem = deep_stem(inputs, channels, conv_cfg, norm_cfg)
            self.stem_names = ("stem",)
        else:
            side = int(kind[0])
            self.conv1 = build_conv_layer(
                conv_cfg,
                inputs,
                channels,
                kernel_size=side,
                stride=2,
                padding=side // 2,
                bias=False,
            )
            self.norm1_name, norm1 = build_norm_layer(norm_cfg, channels, postfix=1)
            self.add_module(self.norm1_name, norm1)
            self.relu = nn.ReLU(inplace=True)
            self.stem_names = ("conv1", self.norm1_name, "relu")
        if kind != "3x3":
            self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
            self.stem_names += ("maxpool",)

    @property
    def res_layers(self) -> list[str]:
        """Names of the stages, as the original calls them."""
        return list(self.stage_names)

    @property
    def feat_dim(self) -> int:
        """Channels of the last stage, as the original calls them."""
        return self.stage_channels[-1]


def deep_stem(
    inputs: int, channels: int, conv_cfg: Config | None, norm_cfg: Config
) -> nn.Sequential:
    """Make the stem of three 3x3 convolutions, each with its norm and activation.

    From "Bag of Tricks for Image Classification", arXiv:1812.01187 (ResNet-C).

    Args:
        inputs: Channels of the image.
        channels: Channels that go out; the first two convolutions have half of them.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms.

    Returns:
        The stem, of stride 2.
    """
    half = channels // 2
    layers: list[nn.Module] = []
    for inside, outside, stride in ((inputs, half, 2), (half, half, 1), (half, channels, 1)):
        layers += [
            build_conv_layer(
                conv_cfg, inside, outside, kernel_size=3, stride=stride, padding=1, bias=False
            ),
            build_norm_layer(norm_cfg, outside)[1],
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


def _of_stage(plugins: Sequence[Config] | None, stage: int, stages: int) -> list[Config]:
    """Select the plugins of one stage."""
    for plugin in plugins or ():
        where = plugin.get("stages")
        if where is not None and len(where) != stages:
            allowed = f"one truth value for each of {stages} stages"
            raise ArchitectureError("plugin", "stages", where, allowed)
    return [p for p in plugins or () if p.get("stages") is None or p["stages"][stage]]
