"""HRNet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Unpack, cast

import torch.nn.functional as F
from brickwork_base import BaseModule, ModuleList, Sequential
from brickwork_layers import build_conv_layer, build_norm_layer
from torch import Tensor, nn

from brickwork_models._entries._entry import Entry
from brickwork_models._entries._key_map import BACKBONE, OPENMMLAB, KeyMap
from brickwork_models._entries._table import register_family
from brickwork_models._entries._weights import NOT_STATED, mmpretrain, open_mmlab
from brickwork_models._parts._backbone import Backbone, BackboneOptions
from brickwork_models._parts._residual_block import BN, BasicBlock, Bottleneck, ResidualBlock
from brickwork_models._parts._residual_stage import residual_stage
from brickwork_models._registry import MODELS
from brickwork_models._typing import Config
from brickwork_models.errors import ArchitectureError

__all__ = ["HRNet", "hrnet_stages"]

HEAD_PLANES = (32, 64, 128, 256)
BLOCKS: dict[str, type[ResidualBlock]] = {"BASIC": BasicBlock, "BOTTLENECK": Bottleneck}


@dataclass(frozen=True)
class HRStage:
    """A stage in the table: a sequence of modules, each with parallel branches.

    Attributes:
        num_modules: Number of modules.
        num_branches: Number of branches, each at half the resolution of the previous one.
        block: ``"BASIC"`` or ``"BOTTLENECK"``.
        num_blocks: Number of blocks of each branch.
        num_channels: Planes of each branch.
    """

    num_modules: int
    num_branches: int
    block: str
    num_blocks: Sequence[int]
    num_channels: Sequence[int]

    def __post_init__(self) -> None:
        for argument in ("num_blocks", "num_channels"):
            value = getattr(self, argument)
            if len(value) != self.num_branches:
                allowed = f"a sequence of length {self.num_branches}, one item per branch"
                raise ArchitectureError("HRNet", argument, value, allowed)
        if self.block not in BLOCKS:
            raise ArchitectureError("HRNet", "block", self.block, tuple(BLOCKS))

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each branch."""
        return tuple(planes * BLOCKS[self.block].expansion for planes in self.num_channels)


def hrnet_stages(
    width: int,
    modules: tuple[int, int, int, int] = (1, 1, 4, 3),
    blocks: tuple[int, int, int, int] = (4, 4, 4, 4),
    planes: int = 64,
) -> dict[str, Config]:
    """Build the table of an HRNet, the ``extra`` of its config.

    Args:
        width: Channels of the branch with the highest resolution, 18 for HRNet-W18.
        modules: Number of modules of each stage.
        blocks: Number of blocks of each branch, by stage.
        planes: Planes of the first stage, whose blocks are bottlenecks.

    Returns:
        The four stages.
    """
    return {
        f"stage{i + 1}": {
            "num_modules": modules[i],
            "num_branches": i + 1,
            "block": "BASIC" if i else "BOTTLENECK",
            "num_blocks": (blocks[i],) * (i + 1),
            "num_channels": tuple(width * 2**j for j in range(i + 1)) if i else (planes,),
        }
        for i in range(4)
    }


def _conv_norm(
    conv_cfg: Config | None,
    norm_cfg: Config,
    in_channels: int,
    out_channels: int,
    kernel_size: int = 3,
    stride: int = 1,
    *,
    relu: bool = True,
    bias: bool = False,
) -> list[nn.Module]:
    """Build a convolution, its norm and an activation."""
    conv = build_conv_layer(
        conv_cfg,
        in_channels,
        out_channels,
        kernel_size=kernel_size,
        stride=stride,
        padding=kernel_size // 2,
        bias=bias,
    )
    act = [nn.ReLU(inplace=False)] if relu else []
    return [conv, build_norm_layer(norm_cfg, out_channels)[1], *act]


LayerBuilder = Callable[..., list[nn.Module]]
"""``_conv_norm`` with the configs of a model."""


class HRModule(BaseModule):
    """Parallel branches of residual blocks, and the fusion of their feature maps.

    Args:
        stage: Stage to which the module belongs.
        multiscale_output: Whether every branch has an output, or only the first.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms.
        **options: Further arguments of the blocks.
    """

    def __init__(
        self,
        stage: HRStage,
        *,
        multiscale_output: bool = True,
        conv_cfg: Config | None,
        norm_cfg: Config,
        **options: Any,
    ) -> None:
        super().__init__()
        widths = stage.widths
        self.branches = ModuleList(
            [
                residual_stage(
                    BLOCKS[stage.block],
                    widths[i],
                    stage.num_channels[i],
                    stage.num_blocks[i],
                    conv_cfg=conv_cfg,
                    norm_cfg=norm_cfg,
                    **options,
                )
                for i in range(stage.num_branches)
            ]
        )
        conv_norm = partial(_conv_norm, conv_cfg, norm_cfg)
        outputs = stage.num_branches if multiscale_output else 1
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(
                self._fusion_path(conv_norm, widths, j, i) for j in range(stage.num_branches)
            )
            for i in range(outputs)
        )
        self.relu = nn.ReLU(inplace=False)

    @staticmethod
    def _fusion_path(
        conv_norm: LayerBuilder, widths: Sequence[int], source: int, target: int
    ) -> nn.Module:
        """Build the layers from branch ``source`` to the shape of branch ``target``."""
        if source == target:
            return nn.Identity()
        if source > target:
            up = nn.Upsample(scale_factor=2 ** (source - target), mode="nearest")
            return nn.Sequential(*conv_norm(widths[source], widths[target], 1, relu=False), up)
        steps = [
            conv_norm(widths[source], widths[source], stride=2) for _ in range(target - source - 1)
        ]
        steps.append(conv_norm(widths[source], widths[target], stride=2, relu=False))
        return nn.Sequential(*(nn.Sequential(*step) for step in steps))

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Map one feature map per branch to one fused feature map per output."""
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        if len(maps) == 1:
            return maps
        fused = []
        for layers in self.fuse_layers:
            paths = cast(nn.ModuleList, layers)
            terms = [path(x) for path, x in zip(paths, maps, strict=True)]
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            fused.append(self.relu(total))
        return fused


@MODELS.register_module()
class HRNet(Backbone):
    """HRNet, whose first branch keeps a high resolution throughout.

    From "Deep High-Resolution Representation Learning for Visual Recognition",
    arXiv:1908.07919.

    Args:
        extra: Table of the four stages, see :func:`hrnet_stages`.
        in_channels: Number of image channels.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms; ``None`` means batch norm.
        with_cp: Whether activations are recomputed in the backward pass.
        zero_init_residual: Whether each block starts as the identity after ``init_weights()``.
        multiscale_output: Whether the last stage has all branches, or only the one with the
            highest resolution.
        out_indices: Indices of the branches that are returned, all by default.
        head_bias: Whether the head's convolutions have a bias before their norms, as in the
            code of the paper but not in mmcls.
        **options: See :class:`BackboneOptions`; ``norm_eval`` is true by default.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 4, 8, 16, 32, or to logits.
    """

    classifier_name = "classifier"
    norm1_name: str
    norm2_name: str
    transition1: nn.ModuleList
    transition2: nn.ModuleList
    transition3: nn.ModuleList
    stage2: Sequential
    stage3: Sequential
    stage4: Sequential

    def __init__(
        self,
        extra: Mapping[str, Mapping[str, Any]],
        *,
        in_channels: int = 3,
        conv_cfg: Config | None = None,
        norm_cfg: Config | None = None,
        with_cp: bool = False,
        zero_init_residual: bool = False,
        multiscale_output: bool = True,
        out_indices: Sequence[int] | None = None,
        head_bias: bool = True,
        **options: Unpack[BackboneOptions],
    ) -> None:
        missing = [f"stage{i}" for i in range(1, 5) if f"stage{i}" not in extra]
        if missing:
            allowed = f"a config with stage1 to stage4 (missing: {', '.join(missing)})"
            raise ArchitectureError("HRNet", "extra", sorted(extra), allowed)
        stages = [HRStage(**extra[f"stage{i}"]) for i in range(1, 5)]
        outputs = 4 if multiscale_output else 1
        options.setdefault("norm_eval", True)
        super().__init__(
            num_stages=4,
            out_indices=range(outputs) if out_indices is None else out_indices,
            **options,
        )
        if max(self.out_indices, default=0) >= outputs or (self.num_classes and outputs < 4):
            allowed = "True for a classifier or more than one branch"
            raise ArchitectureError("HRNet", "multiscale_output", multiscale_output, allowed)
        self.extra = extra
        norm_cfg = norm_cfg or BN
        layers: Config = {"conv_cfg": conv_cfg, "norm_cfg": norm_cfg}
        block_options = layers | {
            "with_cp": with_cp,
            "zero_init_last": zero_init_residual and self.uses_default_init,
        }
        conv_norm = partial(_conv_norm, conv_cfg, norm_cfg)
        for i, inputs in enumerate((in_channels, 64), start=1):
            conv, _ = conv_norm(inputs, 64, stride=2, relu=False)
            self.add_module(f"conv{i}", conv)
            name, norm = build_norm_layer(norm_cfg, 64, postfix=i)
            setattr(self, f"norm{i}_name", name)
            self.add_module(name, norm)
        self.relu = nn.ReLU(inplace=True)
        self.stem_names = ("conv1", self.norm1_name, "relu", "conv2", self.norm2_name, "relu")
        first = stages[0]
        self.layer1 = residual_stage(
            BLOCKS[first.block], 64, first.num_channels[0], first.num_blocks[0], **block_options
        )
        widths = first.widths
        for i, stage in enumerate(stages[1:], start=1):
            self.add_module(f"transition{i}", self._transition(conv_norm, widths, stage.widths))
            widths = stage.widths
            modules = [
                HRModule(
                    stage,
                    multiscale_output=multiscale_output or i < 3 or j < stage.num_modules - 1,
                    **block_options,
                )
                for j in range(stage.num_modules)
            ]
            self.add_module(f"stage{i + 1}", Sequential(*modules))
        self.stage_names = ("layer1", "stage2", "stage3", "stage4")
        self.stage_channels = widths
        self.stage_strides = (4, 8, 16, 32)
        if self.num_classes is not None:
            self._add_head(conv_norm, block_options, self.num_classes, head_bias)
        self._freeze()

    @staticmethod
    def _transition(
        conv_norm: LayerBuilder, old: Sequence[int], new: Sequence[int]
    ) -> nn.ModuleList:
        """Build the layers from the branches of a stage to those of the next."""
        paths: list[nn.Module] = []
        for i, width in enumerate(new):
            if i < len(old):
                same = width == old[i]
                paths.append(nn.Identity() if same else nn.Sequential(*conv_norm(old[i], width)))
            else:
                down = i + 1 - len(old)
                steps = [
                    conv_norm(old[-1], width if j == down - 1 else old[-1], stride=2)
                    for j in range(down)
                ]
                paths.append(nn.Sequential(*(nn.Sequential(*step) for step in steps)))
        return nn.ModuleList(paths)

    def _add_head(
        self, conv_norm: LayerBuilder, block_options: Config, num_classes: int, bias: bool
    ) -> None:
        """Add the head of the paper's classifiers, with their parameter names."""
        wide = [planes * Bottleneck.expansion for planes in HEAD_PLANES]
        self.incre_modules = ModuleList(
            [
                residual_stage(Bottleneck, width, planes, 1, **block_options)
                for width, planes in zip(self.stage_channels, HEAD_PLANES, strict=True)
            ]
        )
        self.downsamp_modules = nn.ModuleList(
            nn.Sequential(*conv_norm(wide[i], wide[i + 1], stride=2, bias=bias)) for i in range(3)
        )
        self.final_layer = nn.Sequential(*conv_norm(wide[-1], 2048, 1, bias=bias))
        self.classifier = nn.Linear(2048, num_classes)

    def _frozen_modules(self) -> list[nn.Module]:
        transitions = [f"transition{i}" for i in range(1, self.frozen_stages)]
        return [*super()._frozen_modules(), *(getattr(self, name) for name in transitions)]

    def _run(self, x: Tensor, out_indices: Collection[int]) -> tuple[Tensor, ...]:
        for name in self.stem_names:
            x = getattr(self, name)(x)
        maps: list[Tensor] = [self.layer1(x)]
        for transition, stage in (
            (self.transition1, self.stage2),
            (self.transition2, self.stage3),
            (self.transition3, self.stage4),
        ):
            last = len(maps) - 1
            maps = stage([path(maps[min(i, last)]) for i, path in enumerate(transition)])
        return tuple(maps[i] for i in sorted(out_indices))

    def forward_head(self, maps: Sequence[Tensor]) -> Tensor:  # type: ignore[override]  # all branches
        """Compute logits ``(N, num_classes)`` from the feature maps of all branches."""
        x: Tensor = self.incre_modules[0](maps[0])
        for i, down in enumerate(self.downsamp_modules, start=1):
            x = down(x) + self.incre_modules[i](maps[i])
        x = self.final_layer(x)
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute logits ``(N, num_classes)``, or without classes the feature maps."""
        if self.num_classes is None:
            return self.forward_features(x)
        return self.forward_head(self._run(x, range(4)))


KEY_MAPS: dict[str, KeyMap] = {
    "mmcls/hrnet": [
        *OPENMMLAB,
        (r"^fc\.", "classifier."),
        (r"^neck\.0\.", "neck."),
        (r"^neck\.increase_layers\.", "incre_modules."),
        (r"^neck\.downsample_layers\.(\d)\.conv\.", r"downsamp_modules.\1.0."),
        (r"^neck\.downsample_layers\.(\d)\.bn\.", r"downsamp_modules.\1.1."),
        (r"^neck\.final_layer\.conv\.", "final_layer.0."),
        (r"^neck\.final_layer\.bn\.", "final_layer.1."),
    ],
}


def _entries() -> Iterator[Entry]:
    family = "HRNetV2"
    maps = {**BACKBONE, "mmcls": "mmcls/hrnet", "timm": "timm/same"}
    for width in (18, 30, 32, 40, 44, 48, 64):
        name, v2 = f"hrnet_w{width}", f"hrnetv2_w{width}"
        stages = {"extra": hrnet_stages(width)}
        in_zoo = width in (18, 32, 40, 48)
        weights = open_mmlab(f"msra/{v2}", license_id="MIT", classifier=True) if in_zoo else ()
        arch = f"hrnet-w{width}"
        weights += mmpretrain(
            arch,
            f"{arch}_3rdparty_8xb32_in1k",
            license_id="MIT",
            arguments={"head_bias": False},
        )
        yield Entry(name, family, HRNet, stages, weights, (v2,), maps)
        if width in (18, 48):
            ssld = stages | {"head_bias": False}
            ssld_name = f"{arch}_3rdparty_8xb32-ssld_in1k"
            weights = mmpretrain(arch, ssld_name, license_id=NOT_STATED)
            yield Entry(f"{name}_ssld", family, HRNet, ssld, weights, key_maps=maps)
    small = {"extra": hrnet_stages(18, (1, 1, 3, 2), (2, 2, 2, 2))}
    weights = open_mmlab("msra/hrnetv2_w18_small", license_id="MIT", classifier=True)
    aliases = ("hrnetv2_w18_small",)
    yield Entry("hrnet_w18_small_v2", family, HRNet, small, weights, aliases, maps)
    smaller = {"extra": hrnet_stages(16, (1, 1, 1, 1), (1, 2, 2, 2), planes=32)}
    yield Entry("hrnet_w18_small", family, HRNet, smaller, key_maps=maps)


register_family(_entries(), KEY_MAPS)
