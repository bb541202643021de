"""Lookup of a model by its name here, in torchvision, in timm or in the zoo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache

import brickwork_zoo
from brickwork_zoo.errors import UnknownModelError

from . import _families as _families  # fills the table
from ._entries._entry import Entry
from ._entries._table import ENTRIES
from ._entries._weights import Weights
from .errors import NoArchitectureError, UnknownNameError


def names_of(entry: Entry) -> Iterator[str]:
    """Yield the names of a model, then those of its checkpoints in the zoo."""
    yield from (entry.name, *entry.aliases)
    for weights in entry.weights:
        yield from _names_of_weights(entry, weights)


def find(name: str) -> tuple[Entry, str | None]:
    """Find a model, and the tag of its weights if the name selects them.

    Args:
        name: Name of a model here, in torchvision or in timm, optionally followed by the tag of
            weights, as in ``"resnet50.imagenet1k_v2"``; the URI of a checkpoint, which then
            selects exactly that one; or its name in the zoo, as in ``"contrib/resnet50_gn"`` or
            ``"ResNet50_Weights.IMAGENET1K_V2"``.

    Returns:
        The entry, and the tag of the weights or ``None``.

    Raises:
        NoArchitectureError: The zoo has a checkpoint of this name, but no model here fits it.
        UnknownNameError: The name is unknown; the error suggests the closest ones.
    """
    if name in _MODELS:
        return _MODELS[name], None
    if name in _CHECKPOINTS:
        return _CHECKPOINTS[name]
    uris = _zoo_uris(name)
    for uri in uris:
        if (urls := brickwork_zoo.find_model(uri).urls) in _checkpoints_by_urls():
            return _checkpoints_by_urls()[urls]
    if uris:
        raise NoArchitectureError(name, uris, _MODELS)
    raise UnknownNameError(
        "model", name, [*_MODELS, *_CHECKPOINTS], suggestions=other_sources(name)
    )


def other_sources(uri: str) -> list[str]:
    """List the URIs of weights for the model of the same name, and that name."""
    _, scheme, name = uri.rpartition("://")
    if not scheme or name not in _MODELS:
        return []
    return [*(weights.uri for weights in _MODELS[name].weights), name]


def _zoo_uris(name: str) -> list[str]:
    """List the zoo's checkpoints that have this name, or whose architecture has it."""
    if "://" in name:
        with suppress(UnknownModelError):
            return [brickwork_zoo.find_model(name).uri]
        return []
    uris = [
        model.uri
        for model in brickwork_zoo.list_models()
        if name in (_without_scheme(model.uri), model.architecture)
    ]
    for scheme in () if uris else ("torchvision", "open-mmlab"):  # these accept other spellings
        with suppress(UnknownModelError):
            uris.append(brickwork_zoo.find_model(f"{scheme}://{name}").uri)
    return uris


@cache
def _checkpoints_by_urls() -> dict[tuple[str, ...], tuple[Entry, str]]:
    """Return the checkpoints of the catalog by their candidate URLs."""
    return {
        brickwork_zoo.find_model(weights.uri).urls: (entry, weights.tag)
        for entry in ENTRIES.values()
        for weights in entry.weights
        if not weights.uri.startswith("https://")
    }


def _names_of_weights(entry: Entry, weights: Weights) -> Iterator[str]:
    yield from (weights.uri, _without_scheme(weights.uri))
    yield from (f"{name}.{weights.tag}" for name in (entry.name, *entry.aliases))


def _without_scheme(uri: str) -> str:
    return uri.rpartition("://")[2]


_MODELS = {name: entry for entry in ENTRIES.values() for name in (entry.name, *entry.aliases)}

# If a checkpoint has the name of a model, the name means the model with its default weights.
_CHECKPOINTS = {
    name: (entry, weights.tag)
    for entry in ENTRIES.values()
    for weights in entry.weights
    for name in _names_of_weights(entry, weights)
}
