"""HRNet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Unpack, cast

import torch.nn.functional as F
from brickwork_base import BaseModule, ModuleList, Sequential
from brickwork_layers import build_conv_layer, build_norm_layer
from torch import Tensor, nn

from ._backbone import Backbone, BackboneOptions
from ._hrnet_stages import BLOCKS, HRStage
from ._registry import MODELS
from ._residual import BN, Bottleneck
from ._residual_stage import residual_stage
from ._typing import Config
from .errors import ArchitectureError

HEAD_PLANES = (32, 64, 128, 256)


class _ConvNorms:
    """Makes chains of convolution, norm and activation of one kind."""

    def __init__(self, conv_cfg: Config | None, norm_cfg: Config) -> None:
        self.conv_cfg, self.norm_cfg = conv_cfg, norm_cfg

    def __call__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        relu: bool = True,
        bias: bool = False,
    ) -> list[nn.Module]:
        conv = build_conv_layer(
            self.conv_cfg,
            inputs,
            outputs,
            kernel_size=kernel,
            stride=stride,
            padding=kernel // 2,
            bias=bias,
        )
        act = [nn.ReLU(inplace=False)] if relu else []
        return [conv, build_norm_layer(self.norm_cfg, outputs)[1], *act]


class HRModule(BaseModule):
    """Branches of residual blocks, and the exchange between their resolutions.

    Args:
        stage: The stage that the module belongs to.
        multiscale_output: Whether every branch goes on, or only the first.
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
        make = _ConvNorms(conv_cfg, norm_cfg)
        outputs = stage.num_branches if multiscale_output else 1
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(self._fuse(make, widths, i, j) for j in range(stage.num_branches))
            for i in range(outputs)
        )
        self.relu = nn.ReLU(inplace=False)

    @staticmethod
    def _fuse(make: _ConvNorms, widths: Sequence[int], to: int, source: int) -> nn.Module:
        """Make what takes branch ``source`` to the resolution and width of branch ``to``."""
        if source == to:
            return nn.Identity()
        if source > to:
            up = nn.Upsample(scale_factor=2 ** (source - to), mode="nearest")
            return nn.Sequential(*make(widths[source], widths[to], 1, relu=False), up)
        steps = [make(widths[source], widths[source], stride=2) for _ in range(to - source - 1)]
        steps.append(make(widths[source], widths[to], stride=2, relu=False))
        return nn.Sequential(*(nn.Sequential(*step) for step in steps))

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Map a feature map for each branch to a fused one for each that goes on."""
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
    """HRNet, which keeps a branch of high resolution all through.

    From "Deep High-Resolution Representation Learning for Visual Recognition",
    arXiv:1908.07919.

    Args:
        extra: The four stages, see :func:`hrnet_stages`.
        in_channels: Channels of the image.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms; ``None`` means batch norm.
        with_cp: Whether blocks are recomputed backward.
        zero_init_residual: Whether ``init_weights()`` makes each block start as the identity.
        multiscale_output: Whether all branches are returned, or only that of highest
            resolution.
        out_indices: The branches that are returned, by default all there are.
        head_bias: Whether the head's convolutions have a bias in spite of their norms, as the
            paper's code has it; those of mmcls have none.
        **options: See :class:`BackboneOptions`; ``norm_eval`` is true by default.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 4, 8, 16, 32, or to scores.
    """

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
            allowed = f"a config for stage1 to stage4; missing: {', '.join(missing)}"
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
            allowed = "True where classes or further branches are asked for"
            raise ArchitectureError("HRNet", "multiscale_output", multiscale_output, allowed)
        self.extra = extra
        norm_cfg = norm_cfg or BN
        layers: Config = {"conv_cfg": conv_cfg, "norm_cfg": norm_cfg}
        how = layers | {
            "with_cp": with_cp,
            "zero_init_last": zero_init_residual and self.initialises_itself,
        }
        make = _ConvNorms(conv_cfg, norm_cfg)
        for i, inputs in enumerate((in_channels, 64), start=1):
            conv, _ = make(inputs, 64, stride=2, relu=False)
            self.add_module(f"conv{i}", conv)
            name, norm = build_norm_layer(norm_cfg, 64, postfix=i)
            setattr(self, f"norm{i}_name", name)
            self.add_module(name, norm)
        self.relu = nn.ReLU(inplace=True)
        self.stem_names = ("conv1", self.norm1_name, "relu", "conv2", self.norm2_name, "relu")
        first = stages[0]
        self.layer1 = residual_stage(
            BLOCKS[first.block], 64, first.num_channels[0], first.num_blocks[0], **how
        )
        widths = first.widths
        for i, stage in enumerate(stages[1:], start=1):
            self.add_module(f"transition{i}", self._transition(make, widths, stage.widths))
            widths = stage.widths
            modules = [
                HRModule(
                    stage,
                    multiscale_output=multiscale_output or i < 3 or j < stage.num_modules - 1,
                    **how,
                )
                for j in range(stage.num_modules)
            ]
            self.add_module(f"stage{i + 1}", Sequential(*modules))
        self.stage_names = ("layer1", "stage2", "stage3", "stage4")
        self.stage_channels = widths
        if self.num_classes is not None:
            self._add_head(make, how, self.num_classes, head_bias)
        self._freeze()

    @staticmethod
    def _transition(make: _ConvNorms, old: Sequence[int], new: Sequence[int]) -> nn.ModuleList:
        """Make what leads from the branches of a stage to those of the next."""
        paths: list[nn.Module] = []
        for i, width in enumerate(new):
            if i < len(old):
                same = width == old[i]
                paths.append(nn.Identity() if same else nn.Sequential(*make(old[i], width)))
            else:
                down = i + 1 - len(old)
                steps = [
                    make(old[-1], width if j == down - 1 else old[-1], stride=2)
                    for j in range(down)
                ]
                paths.append(nn.Sequential(*(nn.Sequential(*step) for step in steps)))
        return nn.ModuleList(paths)

    def _add_head(self, make: _ConvNorms, options: Config, num_classes: int, bias: bool) -> None:
        """Add the head of the paper's classifiers, under their names."""
        wide = [planes * Bottleneck.expansion for planes in HEAD_PLANES]
        self.incre_modules = ModuleList(
            [
                residual_stage(Bottleneck, width, planes, 1, **options)
                for width, planes in zip(self.stage_channels, HEAD_PLANES, strict=True)
            ]
        )
        self.downsamp_modules = nn.ModuleList(
            nn.Sequential(*make(wide[i], wide[i + 1], stride=2, bias=bias)) for i in range(3)
        )
        self.final_layer = nn.Sequential(*make(wide[-1], 2048, 1, bias=bias))
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
        """Turn the feature maps of all branches into scores ``(N, num_classes)``."""
        x: Tensor = self.incre_modules[0](maps[0])
        for i, down in enumerate(self.downsamp_modules, start=1):
            x = down(x) + self.incre_modules[i](maps[i])
        x = self.final_layer(x)
        scores: Tensor = self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return scores

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute scores ``(N, num_classes)``, or without classes the feature maps."""
        if self.num_classes is None:
            return self.forward_features(x)
        return self.forward_head(self._run(x, range(4)))
