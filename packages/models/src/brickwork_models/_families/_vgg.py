"""VGG as in ``mmcv.cnn``, with the parameter names of torchvision's and Caffe's checkpoints."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch.nn.functional as F
from brickwork_init import normal_init
from torch import Tensor, nn

from brickwork_models._entries._entry import Entry
from brickwork_models._entries._key_map import BACKBONE, OPENMMLAB, KeyMap
from brickwork_models._entries._preprocessing import Preprocessing
from brickwork_models._entries._table import register_family
from brickwork_models._entries._weights import (
    NOT_STATED,
    V1,
    Weights,
    mmcls,
    open_mmlab,
    torchvision,
)
from brickwork_models._parts._classic_backbone import ClassicBackbone
from brickwork_models._registry import MODELS
from brickwork_models.errors import ArchitectureError

__all__ = ["VGG", "make_vgg_layer"]

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
    """Build the layers of a VGG stage: 3x3 convolutions and max pooling.

    Args:
        inplanes: Number of input channels.
        planes: Number of output channels.
        num_blocks: Number of convolutions.
        dilation: Dilation of the convolutions.
        with_bn: Whether a batch norm follows each convolution.
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
    """Accept timm's checkpoints, whose classifier consists of 7x7 and 1x1 convolutions."""
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
        num_classes: Number of classes; -1 builds a backbone.
        num_stages: Number of stages, 1 to 5.
        dilations: Dilation of each stage.
        out_indices: Indices of the stages whose feature maps are returned, before the logits
            if there are classes.
        frozen_stages: Number of stages that ``train()`` freezes; -1 for none.
        bn_eval: Whether batch norms stay in evaluation mode.
        bn_frozen: Whether batch norms get no gradient either; needs ``bn_eval``.
        ceil_mode: Whether pooling rounds sizes up.
        with_last_pool: Whether the last stage pools.
        in_channels: Number of image channels.
        as_tuple: Whether a single output is returned in a tuple, too.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 2, 4, 8, 16, 32 and logits, as a tuple unless
        there is only one.
    """

    module_name = "features"
    classifier_name = "classifier.6"

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
            allowed = f"a sequence of length {num_stages}, one item per stage"
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
        self.stage_strides = tuple(2**i for i in range(1, num_stages + 1))
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
            self.stage_strides = (*self.stage_strides[:-1], 2 ** (num_stages - 1))
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
        frozen = self.range_sub_modules[: self.frozen_stages]
        return [self.features[j] for start, end in frozen for j in range(start, end)]

    def _run(self, x: Tensor, out_indices: Collection[int]) -> tuple[Tensor, ...]:
        outs = []
        for i in range(max(out_indices, default=-1) + 1):
            for j in range(*self.range_sub_modules[i]):
                x = self.features[j](x)
            if i in out_indices:
                outs.append(x)
        return tuple(outs)

    def forward_head(self, x: Tensor) -> Tensor:
        """Compute logits from the last feature map ``(N, 512, H, W)``."""
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(x, 7).flatten(1))
        return logits

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute the feature maps of ``out_indices`` and, with classes, the logits after them."""
        if not self.has_classifier:
            return self._unwrap(self._run(x, self.out_indices))
        last = self.num_stages - 1
        maps = self._run(x, {*self.out_indices, last})
        logits = self.forward_head(maps[-1])
        return self._unwrap((*(maps if last in self.out_indices else maps[:-1]), logits))

    def _init_layer(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Linear):
            normal_init(layer, std=0.01)
        else:
            super()._init_layer(layer)


def _mmcls_key_map(depth: int, with_bn: bool) -> KeyMap:
    """Build the key map from mmcls, where a convolution and its norm are one module."""
    # The new numbers are marked first, because they overlap the old ones.
    rules: KeyMap = []
    mmcls_number = number = 0
    for convolutions in DEPTHS[depth]:
        for _ in range(convolutions):
            rules.append((rf"^features\.{mmcls_number}\.conv\.", f"features.@{number}."))
            rules.append((rf"^features\.{mmcls_number}\.bn\.", f"features.@{number + 1}."))
            mmcls_number += 1
            number += 3 if with_bn else 2
        mmcls_number += 1
        number += 1
    return [*OPENMMLAB, *rules, (r"@", "")]


NAMES = {f"vgg{depth}{'_bn' * bn}": (depth, bn) for depth in DEPTHS for bn in (False, True)}

KEY_MAPS: dict[str, KeyMap] = {
    "torchvision/vgg_features": [(r"^classifier\.", "no_classifier.")],
    "timm/vgg": [
        (r"^pre_logits\.fc1\.", "classifier.0."),
        (r"^pre_logits\.fc2\.", "classifier.3."),
        (r"^head\.fc\.", "classifier.6."),
    ],
    # mmedit has a module per stage, whose layers are numbered from 0.
    "mmedit/vgg16": [
        (rf"^layer{stage}\.{2 * i}\.", f"features.{start + 2 * i}.")
        for stage, start in enumerate((0, 5, 10, 17, 24), start=1)
        for i in range(DEPTHS[16][stage - 1])
    ],
    **{f"mmcls/{name}": _mmcls_key_map(*arguments) for name, arguments in NAMES.items()},
}

# The encoder of image matting, whose fourth input channel is the trimap.
MMEDIT = open_mmlab("mmedit/vgg16", library="mmedit", tag="mmedit", arguments={"in_channels": 4})

MEAN_ONLY = Preprocessing(std=(1.0, 1.0, 1.0))
FEATURES = Weights(
    "imagenet1k_features",
    "torchvision://vgg16.imagenet1k_features",
    "torchvision-features",
    replace(MEAN_ONLY, mean=(122.99925, 116.9991, 103.9992)),
    classifier=False,  # the file contains a classifier without values
    license=NOT_STATED,
)


def _entries() -> Iterator[Entry]:
    build = VGG.from_arguments
    for name, (depth, with_bn) in NAMES.items():
        weights = torchvision(name, V1) + mmcls(name)
        weights += (FEATURES, *MMEDIT) if name == "vgg16" else ()
        maps = {
            "torchvision": "torchvision/same",
            "torchvision-features": "torchvision/vgg_features",
            "mmcls": f"mmcls/{name}",
            "timm": "timm/vgg",
            "mmedit": "mmedit/vgg16",
        }
        arguments = {"depth": depth, "with_bn": with_bn}
        yield Entry(name, "VGG", build, arguments, weights, key_maps=maps)
    caffe = {"depth": 16, "with_last_pool": False, "ceil_mode": True}
    weights = open_mmlab("vgg16_caffe", MEAN_ONLY, "CC-BY-4.0")
    yield Entry("vgg16_caffe", "VGG Caffe", build, caffe, weights, key_maps=BACKBONE)


register_family(_entries(), KEY_MAPS)
