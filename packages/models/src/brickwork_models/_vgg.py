"""VGG, as ``mmcv.cnn`` has it and torchvision's and Caffe's checkpoints name it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch.nn.functional as F
from brickwork_init import constant_init, kaiming_init, normal_init
from torch import Tensor, nn

from ._classic import ClassicBackbone
from ._registry import MODELS
from .errors import ArchitectureError

# Table 1 of the paper: convolutions of each stage in configurations A, B, D and E.
DEPTHS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
WIDTHS = (64, 128, 256, 512, 512)


def make_vgg_layer(
    inplanes: int,
    planes: int,
    num_blocks: int,
    dilation: int = 1,
    with_bn: bool = False,
    ceil_mode: bool = False,
) -> list[nn.Module]:
    """Make a stage of VGG: 3x3 convolutions and a pooling.

    Args:
        inplanes: Channels that come in.
        planes: Channels that go out.
        num_blocks: Number of convolutions.
        dilation: Dilation of the convolutions.
        with_bn: Whether a batch norm follows each.
        ceil_mode: Whether pooling rounds sizes up.

    Returns:
        The layers.
    """
    layers: list[nn.Module] = []
    for _ in range(num_blocks):
        layers.append(nn.Conv2d(inplanes, planes, 3, padding=dilation, dilation=dilation))
        if with_bn:
            layers.append(nn.BatchNorm2d(planes))
        layers.append(nn.ReLU(inplace=True))
        inplanes = planes
    layers.append(nn.MaxPool2d(kernel_size=2, stride=2, ceil_mode=ceil_mode))
    return layers


def _flatten_kernels(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, *_: object
) -> None:
    """Take the head of checkpoints that keep it as convolutions of 7x7 and 1x1, as timm's do."""
    for number in (0, 3, 6):
        key = f"{prefix}classifier.{number}.weight"
        if key in state_dict and state_dict[key].dim() == 4:
            state_dict[key] = state_dict[key].flatten(1)


@MODELS.register_module()
class VGG(ClassicBackbone):
    """VGG.

    From "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    arXiv:1409.1556.

    Args:
        depth: 11, 13, 16 or 19.
        with_bn: Whether a batch norm follows each convolution.
        num_classes: Classes to tell apart; -1 makes a backbone.
        num_stages: Number of stages, 1 to 5.
        dilations: Dilation of each stage.
        out_indices: The stages whose feature maps are returned, in front of the scores where
            there are classes.
        frozen_stages: The first so many stages are frozen from ``train()`` on; -1 for none.
        bn_eval: Whether batch norms stay in evaluation mode.
        bn_frozen: Whether batch norms get no gradient either; needs ``bn_eval``.
        ceil_mode: Whether pooling rounds sizes up.
        with_last_pool: Whether the last stage pools.
        in_channels: Channels of the image.
        as_tuple: Whether a single output comes as a tuple, too.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 2, 4, 8, 16, 32 and scores; the output
        itself where there is only one, else a tuple.
    """

    module_name = "features"

    def __init__(
        self,
        depth: int,
        with_bn: bool = False,
        num_classes: int = -1,
        num_stages: int = 5,
        dilations: Sequence[int] = (1, 1, 1, 1, 1),
        out_indices: Sequence[int] = (0, 1, 2, 3, 4),
        frozen_stages: int = -1,
        bn_eval: bool = True,
        bn_frozen: bool = False,
        ceil_mode: bool = False,
        with_last_pool: bool = True,
        *,
        in_channels: int = 3,
        as_tuple: bool = False,
    ) -> None:
        if depth not in DEPTHS:
            raise ArchitectureError("VGG", "depth", depth, tuple(DEPTHS))
        if not 1 <= num_stages <= 5:
            raise ArchitectureError("VGG", "num_stages", num_stages, "1 to 5")
        if len(dilations) != num_stages:
            allowed = f"one for each of {num_stages} stages"
            raise ArchitectureError("VGG", "dilations", dilations, allowed)
        super().__init__(
            num_stages=num_stages,
            out_indices=out_indices,
            frozen_stages=frozen_stages,
            bn_eval=bn_eval,
            bn_frozen=bn_frozen,
            num_classes=num_classes,
            as_tuple=as_tuple,
        )
        self.stage_blocks = DEPTHS[depth][:num_stages]
        self.stage_channels = WIDTHS[:num_stages]
        layers: list[nn.Module] = []
        self.range_sub_modules: list[list[int]] = []
        planes = (in_channels, *self.stage_channels)
        for i, blocks in enumerate(self.stage_blocks):
            start = len(layers)
            layers += make_vgg_layer(
                planes[i], planes[i + 1], blocks, dilations[i], with_bn, ceil_mode
            )
            self.range_sub_modules.append([start, len(layers)])
        if not with_last_pool:
            layers.pop()
            self.range_sub_modules[-1][1] -= 1
        self.inplanes = planes[-1]
        self.features = nn.Sequential(*layers)
        if num_classes > 0:
            self.classifier = nn.Sequential(
                nn.Linear(512 * 7 * 7, 4096),
                nn.ReLU(inplace=True),
                nn.Dropout(),
                nn.Linear(4096, 4096),
                nn.ReLU(inplace=True),
                nn.Dropout(),
                nn.Linear(4096, num_classes),
            )
            self.register_load_state_dict_pre_hook(_flatten_kernels)  # type: ignore[no-untyped-call]  # torch's

    def _frozen_modules(self) -> list[nn.Module]:
        covered = self.range_sub_modules[: self.frozen_stages]
        return [self.features[j] for start, end in covered for j in range(start, end)]

    def _run(self, x: Tensor, out_indices: Collection[int]) -> tuple[Tensor, ...]:
        outs = []
        for i in range(max(out_indices, default=-1) + 1):
            for j in range(*self.range_sub_modules[i]):
                x = self.features[j](x)
            if i in out_indices:
                outs.append(x)
        return tuple(outs)

    def forward_head(self, x: Tensor) -> Tensor:
        """Turn the last stage's feature map ``(N, 512, H, W)`` into scores."""
        scores: Tensor = self.classifier(F.adaptive_avg_pool2d(x, 7).flatten(1))
        return scores

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute the feature maps asked for and, with classes, the scores behind them."""
        if not self.classifies:
            return self._pack(self._run(x, self.out_indices))
        last = self.num_stages - 1
        maps = self._run(x, {*self.out_indices, last})
        scores = self.forward_head(maps[-1])
        return self._pack((*(maps if last in self.out_indices else maps[:-1]), scores))

    def _init_module(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            kaiming_init(module)
        elif isinstance(module, nn.BatchNorm2d):
            constant_init(module, 1)
        elif isinstance(module, nn.Linear):
            normal_init(module, std=0.01)
