"""ResNet, ResNeXt and their variants, as detection code builds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypedDict, Unpack

from brickwork_layers import build_conv_layer, build_norm_layer
from torch import nn

from ._backbone import Backbone
from ._registry import MODELS
from ._residual import BN, BasicBlock, Bottleneck, ResidualBlock, residual_stage
from ._typing import Config, InitConfig
from .errors import ArchitectureError, UnsupportedOptionError

# Table 1 of the paper: blocks of conv2_x, conv3_x, conv4_x, conv5_x.
DEPTHS: dict[int, tuple[type[ResidualBlock], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
    152: (Bottleneck, (3, 8, 36, 3)),
}


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


class ResidualNetOptions(TypedDict, total=False):
    """Options that all residual networks share, with the defaults of :class:`ResNet`."""

    in_channels: int
    strides: Sequence[int]
    dilations: Sequence[int]
    out_indices: Sequence[int]
    style: str
    avg_down: bool
    frozen_stages: int
    conv_cfg: Config | None
    norm_cfg: Config | None
    norm_eval: bool
    dcn: Config | None
    stage_with_dcn: Sequence[bool]
    plugins: Sequence[Config] | None
    with_cp: bool
    zero_init_residual: bool
    num_classes: int | None
    init_cfg: InitConfig | None


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
        frozen_stages: int = -1,
        conv_cfg: Config | None = None,
        norm_cfg: Config | None = None,
        norm_eval: bool = True,
        dcn: Config | None = None,
        stage_with_dcn: Sequence[bool] = (),
        plugins: Sequence[Config] | None = None,
        with_cp: bool = False,
        zero_init_residual: bool = True,
        num_classes: int | None = None,
        init_cfg: InitConfig | None = None,
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
        super().__init__(
            num_stages=len(rows),
            out_indices=out_indices,
            frozen_stages=frozen_stages,
            norm_eval=norm_eval,
            num_classes=num_classes,
            init_cfg=init_cfg,
        )
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
                zero_init_last=zero_init_residual and init_cfg is None,
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


@MODELS.register_module()
class ResNet(ResidualNet):
    """ResNet, with the options and the names of detection code.

    From "Deep Residual Learning for Image Recognition", arXiv:1512.03385. This is the network
    that OpenMMLab's checkpoints and configs mean by ``ResNet``; the plainer one of
    ``mmcv.cnn`` is :class:`brickwork_models.classic.ResNet`. Both have the same keys.

    Args:
        depth: 18, 34, 50, 101 or 152.
        num_stages: Number of stages, 1 to 4.
        stem_channels: Channels of the stem; by default ``base_channels``.
        base_channels: Planes of the first stage; each further one has twice as many.
        deep_stem: Three 3x3 convolutions for the 7x7 one (v1c, v1d).
        groups: Groups of the 3x3 convolutions of bottlenecks (ResNeXt).
        base_width: Channels of a group in the first stage, by default ``base_channels``; 128
            with one group makes a Wide ResNet, arXiv:1605.07146.
        **options: In detail:

            - in_channels (int): Channels of the image.
            - strides, dilations (sequences of int): Those of each stage.
            - out_indices (sequence of int): The stages whose feature maps are returned.
            - style (str): ``"pytorch"`` strides in a bottleneck's 3x3 convolution,
              ``"caffe"`` in its first.
            - avg_down (bool): Average pooling in the shortcuts that stride (v1d).
            - frozen_stages (int): -1 freezes nothing, 0 the stem, n the stem and n stages.
            - conv_cfg (dict): Config of the convolutions, such as ``dict(type="ConvWS")``.
            - norm_cfg (dict): Config of the norms, such as ``dict(type="GN", num_groups=32)``;
              ``None`` means batch norm.
            - norm_eval (bool): Whether batch norms stay in evaluation mode while training;
              true by default, as detection has small batches.
            - dcn, stage_with_dcn: Not supported; an error says what to do.
            - plugins (list of dict): Layers in the bottlenecks, each ``dict(cfg=dict(
              type="ContextBlock", ...), position="after_conv3", stages=(False, True, True,
              True))``.
            - with_cp (bool): Whether blocks are recomputed backward.
            - zero_init_residual (bool): Whether ``init_weights()`` makes each block start as
              the identity.
            - num_classes (int): Classes to tell apart; ``None`` makes a backbone.
            - init_cfg (dict or list): How ``init_weights()`` fills the weights.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 4, 8, 16, 32 (those of ``out_indices``),
        or to scores ``(N, num_classes)``.

    Raises:
        ArchitectureError: An argument describes no ResNet.
        UnsupportedOptionError: ``dcn``, or plugins in a network of basic blocks.
    """

    depths: ClassVar[dict[int, tuple[type[ResidualBlock], tuple[int, ...]]]] = {**DEPTHS}

    def __init__(
        self,
        depth: int,
        *,
        num_stages: int = 4,
        stem_channels: int | None = None,
        base_channels: int = 64,
        deep_stem: bool = False,
        groups: int = 1,
        base_width: int | None = None,
        **options: Unpack[ResidualNetOptions],
    ) -> None:
        family = type(self).__name__
        if depth not in self.depths:
            raise ArchitectureError(family, "depth", depth, tuple(self.depths))
        block, blocks = self.depths[depth]
        if not 1 <= num_stages <= len(blocks):
            raise ArchitectureError(family, "num_stages", num_stages, f"1 to {len(blocks)}")
        base_width = base_width or base_channels
        grouped = (groups, base_width) != (1, base_channels)
        if grouped and not issubclass(block, Bottleneck):
            allowed = f"(1, {base_channels}) at depth {depth}, whose blocks are no bottlenecks"
            raise ArchitectureError(family, "groups, base_width", (groups, base_width), allowed)
        rows = []
        for i, number in enumerate(blocks[:num_stages]):
            planes = base_channels * 2**i
            width = planes * base_width // base_channels * groups
            rows.append(Row(planes, number, {"groups": groups, "width": width} if grouped else {}))
        super().__init__(
            block,
            rows,
            stem="deep" if deep_stem else "7x7",
            stem_channels=stem_channels or base_channels,
            **options,
        )
        self.depth = depth


@MODELS.register_module()
class ResNetV1c(ResNet):
    """ResNet-C of "Bag of Tricks", arXiv:1812.01187: deep stem.

    Args:
        depth: 18, 34, 50, 101 or 152.
        **options: As of :class:`ResNet`.
    """

    def __init__(self, depth: int, **options: Any) -> None:
        super().__init__(depth, **{"deep_stem": True, **options})


@MODELS.register_module()
class ResNetV1d(ResNet):
    """ResNet-D of "Bag of Tricks", arXiv:1812.01187: deep stem, pooling in the shortcuts.

    Args:
        depth: 18, 34, 50, 101 or 152.
        **options: As of :class:`ResNet`.
    """

    def __init__(self, depth: int, **options: Any) -> None:
        super().__init__(depth, **{"deep_stem": True, "avg_down": True, **options})


@MODELS.register_module()
class ResNeXt(ResNet):
    """ResNeXt: ResNet with grouped 3x3 convolutions.

    From "Aggregated Residual Transformations for Deep Neural Networks", arXiv:1611.05431.

    Args:
        depth: 50, 101 or 152.
        groups: Number of groups, the paper's cardinality.
        base_width: Channels of a group in the first stage.
        **options: As of :class:`ResNet`.
    """

    depths: ClassVar = {depth: DEPTHS[depth] for depth in (50, 101, 152)}

    def __init__(self, depth: int, *, groups: int = 1, base_width: int = 4, **options: Any) -> None:
        super().__init__(depth, groups=groups, base_width=base_width, **options)
