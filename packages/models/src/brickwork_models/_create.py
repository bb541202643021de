"""Models by name, with their weights."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Literal

import brickwork_zoo
from torch import nn

from ._entries._entry import Entry
from ._entries._table import ENTRIES
from ._entries._weights import Weights
from ._external import EXTERNAL_LIBRARIES, create_external
from ._key_maps import key_map
from ._names import find, names_of, other_sources
from .errors import ArchitectureError, ModelError, NoWeightsError, UnknownNameError


def model_entry(name: str) -> Entry:
    """Return what is known about a model.

    Args:
        name: Name of the model here, in torchvision or in timm, or name of a checkpoint of the
            zoo.

    Returns:
        The entry: parameters, FLOPs, preprocessing, checkpoints with their licenses. A name that
        selects weights makes them the default of the entry.

    Raises:
        UnknownNameError: The name is unknown; the error suggests the closest ones.
        NoArchitectureError: The zoo has a checkpoint of this name, but no model here fits it.
    """
    entry, tag = find(name)
    if tag is None:
        return entry
    # Sorting is stable: the selected weights move to the front.
    return replace(entry, weights=tuple(sorted(entry.weights, key=lambda w: w.tag != tag)))


def list_models(pattern: str = "*", *, pretrained: bool = False) -> list[str]:
    """List the models.

    Args:
        pattern: Shell pattern such as ``"resnet*"`` that the name, or another name of the model
            or of one of its checkpoints, must match.
        pretrained: Whether to list only models that have weights.

    Returns:
        The names in alphabetical order.
    """
    return sorted(
        entry.name
        for entry in ENTRIES.values()
        if any(fnmatchcase(name, pattern) for name in names_of(entry))
        and (entry.weights or not pretrained)
    )


def model_library(name: str) -> str | None:
    """Return the library that builds a model for :func:`create_model`.

    Args:
        name: Name of a model, or URI of a checkpoint of the zoo.

    Returns:
        ``"brickwork"``, ``"torchvision"`` or ``"timm"``; ``None`` if no library is known to build
        the model from this name.
    """
    with suppress(UnknownNameError):
        find(name)
        return "brickwork"
    scheme = name.partition("://")[0]
    return scheme if scheme in EXTERNAL_LIBRARIES else None


def create_model(
    name: str,
    pretrained: bool | str = False,
    *,
    num_classes: int | Literal["default"] | None = "default",
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    in_channels: int | None = None,
    sha256: str | Literal[False] | None = None,
    **options: Any,
) -> nn.Module:
    """Build a model by name, initialized or with pretrained weights.

    With pretrained weights, values that they overwrite are not drawn: the model is built
    without memory and takes over the tensors of the file. What the file does not contain (a
    classifier for other classes, a first convolution for other channels) is initialized.

    Args:
        name: One of :func:`list_models`, or a name from torchvision or timm. The name of a
            checkpoint, such as ``"resnet50.imagenet1k_v2"`` or ``"mmcls://resnet50"``, selects
            its weights; a URI never falls back to another source. ``torchvision://`` and
            ``timm://`` also name the other models of these libraries, which then build them.
        pretrained: Whether to load weights; a tag such as ``"imagenet1k_v2"`` selects among
            those of the model.
        num_classes: Number of classes, by default that of the weights (1000 without weights);
            ``None`` or 0 builds a backbone.
        features_only: Whether to build a backbone that returns a tuple of feature maps.
        out_indices: Indices of the stages whose feature maps a backbone returns; the default is
            that of the model's class.
        in_channels: Number of image channels, by default that of the weights, usually 3.
        sha256: Expected SHA-256 of the file with the weights, if it is not the one in the
            catalog; False skips the check, with a warning. See :func:`brickwork_zoo.download`.
        **options: Further arguments of the model's class.

    Returns:
        The model, in training mode.

    Raises:
        UnknownNameError: The name is unknown.
        NoArchitectureError: The zoo has a checkpoint of this name, but no model here fits it.
        NoWeightsError: The model has no weights, or none with this tag.
        MissingLibraryError: The URI names a model of a library that is not installed.
        ModelError: ``in_channels`` is less than 1, ``out_indices`` is set for a classifier, or
            ``pretrained`` selects weights from another source than the URI.
    """
    try:
        entry, tag = find(name)
    except UnknownNameError:
        if name.partition("://")[0] not in EXTERNAL_LIBRARIES:
            raise
        if features_only or out_indices is not None or in_channels is not None:
            raise ModelError(
                f"features_only, out_indices and in_channels are arguments of the models of "
                f"brickwork_models; pass those of the library's own function for {name}"
            ) from None
        alternatives = other_sources(name)
        return create_external(name, pretrained, num_classes, sha256, options, alternatives)
    weights = _select_weights(entry, tag if pretrained is True and tag else pretrained)
    scheme, separator, _ = name.partition("://")
    if separator and weights and not weights.uri.startswith(f"{scheme}://"):
        raise ModelError(
            f"pretrained={pretrained!r} selects {weights.uri}, but the name selects the source "
            f"{scheme}://; name the model without a source: {entry.name!r}"
        )
    own_classes = weights.num_classes if weights else entry.num_classes
    if num_classes == "default":
        num_classes = own_classes
    classes = None if features_only else num_classes or None
    if out_indices is not None:
        if classes is not None:
            raise ModelError(
                f"out_indices selects feature maps, but {name} with {classes} classes returns "
                "logits; pass features_only=True"
            )
        options["out_indices"] = out_indices
    if in_channels is not None:
        if in_channels < 1:
            raise ArchitectureError(name, "in_channels", in_channels, "at least 1")
        options["in_channels"] = in_channels
    if weights:
        options = {**weights.arguments, **options}

    def build() -> nn.Module:
        return entry.make(num_classes=classes, **options)

    if weights is None:
        model = build()
        model.init_weights()  # type: ignore[operator]  # every model of the table has it
        return model
    # A classifier for other classes is initialized; the first convolution is adapted to other
    # image channels.
    return brickwork_zoo.load_model(
        build,
        weights.uri,
        revise_keys=key_map(entry.key_maps[weights.library]),
        prefix=weights.prefix,
        on_mismatch="error" if classes in (None, own_classes) else "skip",
        adapters=[brickwork_zoo.adapt_input_channels],
        sha256=sha256,
    )


def _select_weights(entry: Entry, pretrained: bool | str) -> Weights | None:
    if pretrained is False:
        return None
    weights_by_tag = {weights.tag: weights for weights in entry.weights}
    tag = pretrained if isinstance(pretrained, str) else next(iter(weights_by_tag), None)
    if tag not in weights_by_tag:
        raise NoWeightsError(entry.name, None if pretrained is True else tag, weights_by_tag)
    return weights_by_tag[tag]
