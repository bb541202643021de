"""What is known about a named model: how to build it, its weights, the images it expects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import nn

from brickwork_models._imagenet import imagenet_classes
from brickwork_models._summary import Summary, summarize
from brickwork_models._typing import Config

from ._preprocessing import IMAGENET, Preprocessing
from ._weights import IMAGENET_CLASSES, Weights


@dataclass(frozen=True)
class Entry:
    """A named model.

    Attributes:
        name: Name of the model.
        family: Name of its family, as in the documentation of the zoo.
        build: Function or class that builds the model from ``num_classes`` and ``arguments``;
            ``num_classes=None`` builds a backbone.
        arguments: Arguments of ``build``.
        weights: Available checkpoints; the first is the default.
        aliases: Other names, those of torchvision, timm and the zoo.
        key_maps: Key map for each library whose checkpoints fit: ``"timm"``,
            ``"torchvision"``, ``"mmcls"``, ... -> name for :func:`key_map`.
    """

    name: str
    family: str
    build: Callable[..., nn.Module]
    arguments: Config = field(default_factory=dict)
    weights: tuple[Weights, ...] = ()
    aliases: tuple[str, ...] = ()
    key_maps: Mapping[str, str] = field(default_factory=dict)

    @property
    def preprocess(self) -> Preprocessing:
        """Preprocessing of the default weights; ImageNet's usual one if there are none."""
        return self.weights[0].preprocess if self.weights else IMAGENET

    @property
    def num_classes(self) -> int:
        """Number of classes of the default weights; 1000 if there are none."""
        return self.weights[0].num_classes if self.weights else IMAGENET_CLASSES

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes of the default weights, for ImageNet-1k."""
        return imagenet_classes() if self.num_classes == IMAGENET_CLASSES else None

    @property
    def input_size(self) -> tuple[int, int, int]:
        """Shape ``(C, H, W)`` of an image."""
        side = self.preprocess.size
        return (3, side, side)

    @cached_property
    def summary(self) -> Summary:
        """Shapes, parameters and FLOPs of the classifier with ``num_classes`` classes."""
        with torch.device("meta"):
            return summarize(self.make(num_classes=self.num_classes), self.input_size)

    @property
    def parameters(self) -> int:
        """Number of parameters of the classifier with ``num_classes`` classes."""
        return self.summary.parameters

    @property
    def flops(self) -> int:
        """Multiply-adds of the classifier for one image of ``input_size``."""
        return self.summary.flops

    def make(self, *, num_classes: int | None = None, **options: Any) -> nn.Module:
        """Build the model.

        Args:
            num_classes: Number of classes; ``None`` builds a backbone.
            **options: Further arguments of ``build``; they override the entry's.

        Returns:
            The model, not initialized.
        """
        return self.build(**{**self.arguments, **options}, num_classes=num_classes)
