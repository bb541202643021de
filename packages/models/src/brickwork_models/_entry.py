"""What is known of a named network: how it is built, its weights, the images it expects."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import nn

from ._alexnet import AlexNet
from ._summary import Summary, summarize
from ._typing import Config
from ._vgg import VGG


@dataclass(frozen=True)
class Preprocessing:
    """The images that weights expect.

    Attributes:
        size: Side of the image in pixels.
        mean: What is subtracted from each channel, on the scale 0 to 255.
        std: What each channel is divided by then.
        channel_order: ``"RGB"`` or ``"BGR"``; mean and std are in this order.
        crop: Side of the middle that is cut out, over the shorter side of the photograph.
    """

    size: int = 224
    mean: tuple[float, float, float] = (123.675, 116.28, 103.53)
    std: tuple[float, float, float] = (58.395, 57.12, 57.375)
    channel_order: str = "RGB"
    crop: float = 0.875


IMAGENET = Preprocessing()


@dataclass(frozen=True)
class Weights:
    """A checkpoint for a network.

    Attributes:
        tag: Its name among those of the network.
        uri: Where it is, as the zoo understands it.
        key_map: The map from its names to ours, see :func:`key_map`.
        preprocessing: The images that it expects.
        classifier: Whether it holds the classifier, too.
        licence: Its licence, or who has to be asked.
    """

    tag: str
    uri: str
    key_map: str = "torchvision/same"
    preprocessing: Preprocessing = IMAGENET
    classifier: bool = True
    licence: str = "BSD-3-Clause"


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
        preprocessing: The images that it is meant for, where there are no weights.
    """

    name: str
    family: str
    build: type[nn.Module]
    arguments: Config = field(default_factory=dict)
    weights: tuple[Weights, ...] = ()
    aliases: tuple[str, ...] = ()
    images: Preprocessing = IMAGENET

    @property
    def preprocessing(self) -> Preprocessing:
        """The images that the default weights expect."""
        return self.weights[0].preprocessing if self.weights else self.images

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
            **options: Further arguments of its class.

        Returns:
            The network, not initialised.
        """
        if issubclass(self.build, (AlexNet, VGG)):
            # These keep the conventions of mmcv.cnn: -1 for no classes, maps next to scores.
            options["as_tuple"] = num_classes is None
            if issubclass(self.build, VGG) and num_classes is not None:
                options["out_indices"] = ()
            return self.build(**self.arguments, num_classes=num_classes or -1, **options)
        return self.build(**self.arguments, num_classes=num_classes, **options)
