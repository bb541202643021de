"""AlexNet, as ``mmcv.cnn`` and torchvision have it."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from ._classic import ClassicBackbone
from ._registry import MODELS


@MODELS.register_module()
class AlexNet(ClassicBackbone):
    """AlexNet in one column.

    From "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997.

    Args:
        num_classes: Classes to tell apart; -1 makes a backbone.
        in_channels: Channels of the image.
        out_indices: ``(0,)``; it is all one stage.
        as_tuple: Whether the feature map comes as a tuple.

    Shape:
        ``(N, 3, H, W)`` to a feature map ``(N, 256, H / 32, W / 32)``, or to scores
        ``(N, num_classes)``.
    """

    stage_names = ("features",)
    stage_channels = (256,)

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
        """Turn the feature map ``(N, 256, H, W)`` into scores ``(N, num_classes)``."""
        scores: Tensor = self.classifier(F.adaptive_avg_pool2d(x, 6).flatten(1))
        return scores

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute scores ``(N, num_classes)``, or without classes the feature map."""
        if self.classifies:
            return self.forward_head(self.features(x))
        return self._pack(self.forward_features(x))

    def _init_module(self, module: nn.Module) -> None:
        """Leave every layer as it was made, as the original does."""
