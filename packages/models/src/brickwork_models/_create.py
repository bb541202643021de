"""Networks by name, with their weights."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import brickwork_zoo
from torch import nn

from ._entries import ENTRIES
from ._entry import Entry
from ._keys import key_map
from ._names import find, names_of
from ._weights import Weights
from .errors import ModelError, NoWeightsError

IMAGENET_CLASSES = 1000


def model_entry(name: str) -> Entry:
    """Give what is known of a network.

    Args:
        name: Its name, one that torchvision or timm has for it, or that of a checkpoint of the
            zoo.

    Returns:
        The entry: parameters, FLOPs, expected images, checkpoints with their licences.

    Raises:
        UnknownNameError: No network has this name; it suggests the closest.
        NoArchitectureError: The zoo has such a checkpoint, but the network is not here.
    """
    return find(name)[0]


def list_models(pattern: str = "*", *, pretrained: bool = False) -> list[str]:
    """List the networks.

    Args:
        pattern: What the name, or another name of the same network or of a checkpoint of it,
            must match, such as ``"resnet*"``.
        pretrained: Whether to list only networks that have weights.

    Returns:
        The names, in the order of the alphabet.
    """
    return sorted(
        entry.name
        for entry in ENTRIES.values()
        if any(fnmatchcase(name, pattern) for name in names_of(entry))
        and (entry.weights or not pretrained)
    )


def create_model(
    name: str,
    pretrained: bool | str = False,
    *,
    num_classes: int | None = IMAGENET_CLASSES,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    in_channels: int = 3,
    **options: Any,
) -> nn.Module:
    """Build a network by name, initialised or with its weights.

    With weights, nothing is drawn that they overwrite: the network is built without values and
    gets the tensors of the file as they lie there. What the file does not hold (a head for
    other classes, a first convolution for other channels) is initialised.

    Args:
        name: One of :func:`list_models`, or a name that torchvision or timm has for it. The name
            of a checkpoint of the zoo, such as ``"resnet50.imagenet1k_v2"``, chooses its weights.
        pretrained: Whether to load weights; a tag such as ``"imagenet1k_v2"`` chooses among
            those of the network.
        num_classes: Classes to tell apart; ``None`` or 0 makes a backbone.
        features_only: Whether to make a backbone that returns a tuple of feature maps.
        out_indices: The stages whose feature maps a backbone returns; by default its own.
        in_channels: Channels of the image.
        **options: Further arguments of the network's class.

    Returns:
        The network, in training mode.

    Raises:
        UnknownNameError: No network has this name.
        NoArchitectureError: The zoo has such a checkpoint, but the network is not here.
        NoWeightsError: It has no weights, or none of this tag.
        ModelError: ``in_channels`` is less than 1, or ``out_indices`` is given for a network that
            gives scores.
    """
    entry, tag = find(name)
    weights = _choose(entry, tag if pretrained is True and tag else pretrained)
    classes = None if features_only else num_classes or None
    if out_indices is not None:
        if classes is not None:
            raise ModelError(
                f"out_indices={tuple(out_indices)} chooses feature maps, but {name} with "
                f"{classes} classes gives scores; pass features_only=True"
            )
        options["out_indices"] = tuple(out_indices)
    if in_channels < 1:
        raise ModelError(f"in_channels={in_channels}, but an image has at least 1 channel")
    options["in_channels"] = in_channels

    def build() -> nn.Module:
        return entry.make(num_classes=classes, **options)

    if weights is None:
        model = build()
        model.init_weights()  # type: ignore[operator]  # every network of the table has it
        return model
    # A head for other classes starts anew; a first convolution for other channels is adapted.
    return brickwork_zoo.load_model(
        build,
        weights.uri,
        revise_keys=key_map(entry.key_maps[weights.library]),
        on_mismatch="error" if classes in (None, IMAGENET_CLASSES) else "skip",
        adapters=[brickwork_zoo.adapt_input_channels],
    )


def _choose(entry: Entry, pretrained: bool | str) -> Weights | None:
    """Choose the weights; ``None`` for none."""
    if pretrained is False:
        return None
    tags = {weights.tag: weights for weights in entry.weights}
    tag = pretrained if isinstance(pretrained, str) else next(iter(tags), None)
    if tag not in tags:
        raise NoWeightsError(entry.name, None if pretrained is True else tag, tags)
    return tags[tag]
