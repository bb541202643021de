"""What is known of a named network: how it is built, its weights, the images it expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import nn

from ._alexnet import AlexNet
from ._summary import Summary, summarize
from ._typing import Config
from ._vgg import VGG
from ._weights import IMAGENET, Preprocessing, Weights


@dataclass(frozen=True)
class Entry:
    """A network that has a name.

    Attributes:
        name: Its name.
        family: Its family, as the documentation of the zoo calls it.
        build: Its class.
        arguments: The arguments of the class.
        weights: The checkpoints there are; the first is the default.
        aliases: Other names: those of torchvision, timm and the zoo.
        key_maps: The maps for checkpoints of this network by whose names they have:
            ``"timm"``, ``"torchvision"``, ``"mmcls"``, ... -> a name that :func:`key_map` takes.
    """

    name: str
    family: str
    build: type[nn.Module]
    arguments: Config = field(default_factory=dict)
    weights: tuple[Weights, ...] = ()
    aliases: tuple[str, ...] = ()
    key_maps: Mapping[str, str] = field(default_factory=dict)

    @property
    def preprocessing(self) -> Preprocessing:
        """The images that the default weights expect, or ImageNet's usual ones."""
        return self.weights[0].preprocessing if self.weights else IMAGENET

    @property
    def input_size(self) -> tuple[int, int, int]:
        """Shape of an image, ``(C, H, W)``."""
        side = self.preprocessing.size
        return (3, side, side)

    @cached_property
    def summary(self) -> Summary:
        """Shapes, parameters and FLOPs of the classifier with 1000 classes."""
        with torch.device("meta"):
            return summarize(self.make(num_classes=1000), self.input_size)

    @property
    def parameters(self) -> int:
        """Parameters of the classifier with 1000 classes."""
        return self.summary.parameters

    @property
    def flops(self) -> int:
        """Multiply-adds of the classifier for one image of the expected size."""
        return self.summary.flops

    def make(self, *, num_classes: int | None = None, **options: Any) -> nn.Module:
        """Build the network.

        Args:
            num_classes: Classes to tell apart; ``None`` makes a backbone.
            **options: Further arguments of its class; they go before the entry's.

        Returns:
            The network, not initialised.
        """
        arguments = {**self.arguments, **options}
        if issubclass(self.build, (AlexNet, VGG)):
            # These keep the conventions of mmcv.cnn: -1 for no classes, maps next to scores.
            if num_classes is None:
                return self.build(**arguments, as_tuple=True)
            return self.build(**arguments, num_classes=num_classes, out_indices=())
        return self.build(**arguments, num_classes=num_classes)
