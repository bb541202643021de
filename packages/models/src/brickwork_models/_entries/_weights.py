"""Checkpoints of a model: where they are, what they contain, which images they expect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ._preprocessing import IMAGENET, Preprocessing

IMAGENET_CLASSES = 1000

NOT_STATED = "not stated; ask the authors"
APACHE = "Apache-2.0"
BSD = "BSD-3-Clause"
CC_BY_SA = "CC-BY-SA-3.0"


@dataclass(frozen=True)
class Weights:
    """A checkpoint of a model.

    Attributes:
        tag: Name among the weights of the model.
        uri: URI that the zoo resolves.
        library: Library whose parameter names the checkpoint has; selects the key map in
            :attr:`Entry.key_maps`.
        preprocess: Preprocessing of the images.
        classifier: Whether the checkpoint contains the classifier.
        license: SPDX identifier of the license, or whom to ask.
        num_classes: Number of classes of the classifier.
        prefix: Prefix of the model's keys if the checkpoint contains more than the model.
        arguments: Arguments of the model's class that the checkpoint needs beyond the entry's.
    """

    tag: str
    uri: str
    library: str
    preprocess: Preprocessing
    classifier: bool
    license: str
    num_classes: int = IMAGENET_CLASSES
    prefix: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


V1, V2 = "imagenet1k_v1", "imagenet1k_v2"
RESIZE_232 = Preprocessing(crop=224 / 232)
_TORCHVISION_RECIPES = {V1: IMAGENET, V2: RESIZE_232}


def torchvision(
    name: str,
    *tags: str,
    preprocess: Preprocessing | None = None,
    license_id: str = BSD,
) -> tuple[Weights, ...]:
    """Declare checkpoints of torchvision.

    Args:
        name: Name of the model in torchvision.
        *tags: Names of the weights in lower case.
        preprocess: Preprocessing, by default that of torchvision's recipe of this name.
        license_id: License of the weights.

    Returns:
        The checkpoints in this order.
    """
    return tuple(
        Weights(
            tag,
            f"torchvision://{name}.{tag}",
            "torchvision",
            preprocess or _TORCHVISION_RECIPES[tag],
            True,
            license_id,
        )
        for tag in tags
    )


def mmcls(name: str) -> tuple[Weights, ...]:
    """Declare the checkpoint of mmcls, which contains a whole classifier.

    Args:
        name: Name after ``mmcls://``.

    Returns:
        The checkpoint, as a tuple of one.
    """
    return (Weights("mmcls", f"mmcls://{name}", "mmcls", IMAGENET, True, APACHE),)


def mmpretrain(
    arch: str,
    *names: str,
    preprocess: Preprocessing = IMAGENET,
    license_id: str = APACHE,
    **facts: Any,
) -> tuple[Weights, ...]:
    """Declare checkpoints of mmpretrain, whose tags are their names without that of the model.

    Args:
        arch: Name of the model in mmpretrain.
        *names: Names after ``mmpretrain://``.
        preprocess: Preprocessing of the images.
        license_id: License of the weights.
        **facts: Further attributes of :class:`Weights`.

    Returns:
        The checkpoints in this order.
    """
    facts = {"classifier": True, **facts}
    return tuple(
        Weights(
            name.replace(f"{arch}_", "", 1),
            f"mmpretrain://{name}",
            "mmcls",
            preprocess,
            license=license_id,
            **facts,
        )
        for name in names
    )


def open_mmlab(
    name: str,
    preprocess: Preprocessing = IMAGENET,
    license_id: str = NOT_STATED,
    *,
    classifier: bool = False,
    tag: str = "open-mmlab",
    library: str = "open-mmlab",
    arguments: Mapping[str, Any] | None = None,
) -> tuple[Weights, ...]:
    """Declare a checkpoint with which OpenMMLab's configs start.

    Args:
        name: Name after ``open-mmlab://``.
        preprocess: Preprocessing of the images.
        license_id: License of the weights.
        classifier: Whether the checkpoint is known to contain the classifier.
        tag: Name among the weights of the model.
        library: Library whose parameter names the checkpoint has.
        arguments: Arguments of the model's class that the checkpoint needs.

    Returns:
        The checkpoint, as a tuple of one.
    """
    return (
        Weights(
            tag,
            f"open-mmlab://{name}",
            library,
            preprocess,
            classifier,
            license_id,
            arguments=arguments or {},
        ),
    )
