"""AlexNet, as ``mmcv.cnn`` and torchvision have it."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from brickwork_models._entries._entry import Entry
from brickwork_models._entries._table import register_family
from brickwork_models._entries._weights import V1, torchvision
from brickwork_models._parts._classic_backbone import ClassicBackbone
from brickwork_models._registry import MODELS

__all__ = ["AlexNet"]


@MODELS.register_module()
class AlexNet(ClassicBackbone):
    """AlexNet in its single-column version.

    From "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997.

    Args:
        num_classes: Number of classes; -1 builds a backbone.
        in_channels: Number of image channels.
        out_indices: ``(0,)``; the model is a single stage.
        as_tuple: Whether the feature map is returned in a tuple.

    Shape:
        ``(N, 3, H, W)`` to a feature map ``(N, 256, H / 32, W / 32)``, or to logits
        ``(N, num_classes)``.
    """

    stage_names = ("features",)
    stage_channels = (256,)
    stage_strides = (32,)
    classifier_name = "classifier.6"

    def __init__(
        self,
        num_classes: int = -1,
        *,
        in_channels: int = 3,
        out_indices: Sequence[int] = (0,),
        as_tuple: bool = False,
    ) -> None:
        super().__init__(
            num_stages=1,
            out_indices=out_indices,
            bn_eval=False,
            num_classes=num_classes,
            as_tuple=as_tuple,
        )
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        if num_classes > 0:
            self.classifier = nn.Sequential(
                nn.Dropout(),
                nn.Linear(256 * 6 * 6, 4096),
                nn.ReLU(inplace=True),
                nn.Dropout(),
                nn.Linear(4096, 4096),
                nn.ReLU(inplace=True),
                nn.Linear(4096, num_classes),
            )

    def forward_head(self, x: Tensor) -> Tensor:
        """Map the feature map ``(N, 256, H, W)`` to logits ``(N, num_classes)``."""
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(x, 6).flatten(1))
        return logits

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute logits ``(N, num_classes)``, or without classes the feature map."""
        if self.has_classifier:
            return self.forward_head(self.features(x))
        return self._unwrap(self.forward_features(x))

    def _init_layer(self, layer: nn.Module) -> None:
        """Keep the values of the constructor, as mmcv does."""


register_family(
    [
        Entry(
            "alexnet",
            "AlexNet",
            AlexNet.from_arguments,
            weights=torchvision("alexnet", V1),
            key_maps={"torchvision": "torchvision/same"},
        )
    ]
)
