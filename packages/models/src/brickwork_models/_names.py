"""From a name to a network: ours, torchvision's, timm's, the zoo's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import brickwork_zoo
from brickwork_zoo.errors import UnknownModelError

from ._entries import ENTRIES
from ._entry import Entry
from ._weights import Weights
from .errors import NoArchitectureError, UnknownNameError


def names_of(entry: Entry) -> Iterator[str]:
    """Yield the names of a network, then those of its checkpoints in the zoo."""
    yield from (entry.name, *entry.aliases)
    for weights in entry.weights:
        yield from _names_of_weights(entry, weights)


def find(name: str) -> tuple[Entry, str | None]:
    """Find a network, and which of its weights the name means.

    Args:
        name: A network's name here, in torchvision or in timm, which the tag of weights may
            follow, as in ``"resnet50.imagenet1k_v2"``; a checkpoint's URI, or what the zoo calls
            it, as in ``"contrib/resnet50_gn"`` or ``"ResNet50_Weights.IMAGENET1K_V2"``.

    Returns:
        What is known of it, and the tag of the weights, ``None`` where the name leaves it open.

    Raises:
        NoArchitectureError: The zoo has a checkpoint of this name, but the network is not here.
        UnknownNameError: Nobody knows the name; it suggests the closest.
    """
    for spelling in (name, _bare(name)):
        if spelling in _NETWORKS:
            return _NETWORKS[spelling], None
        if spelling in _CHECKPOINTS:
            return _CHECKPOINTS[spelling]
    uris = _in_the_zoo(_bare(name))
    files = [brickwork_zoo.find_model(uri).urls for uri in uris]
    for entry in ENTRIES.values() if uris else ():
        for weights in entry.weights:
            if brickwork_zoo.resolve(weights.uri).urls in files:
                return entry, weights.tag
    if uris:
        raise NoArchitectureError(name, uris, _NETWORKS)
    raise UnknownNameError("model", name, [*_NETWORKS, *_CHECKPOINTS])


def _in_the_zoo(name: str) -> list[str]:
    """List the checkpoints that have this name, or are of a network that has it."""
    uris = [
        model.uri
        for model in brickwork_zoo.list_models()
        if name in (_bare(model.uri), model.architecture)
    ]
    for scheme in () if uris else ("torchvision", "open-mmlab"):  # these have other spellings, too
        with suppress(UnknownModelError):
            uris.append(brickwork_zoo.find_model(f"{scheme}://{name}").uri)
    return uris


def _names_of_weights(entry: Entry, weights: Weights) -> Iterator[str]:
    yield from (weights.uri, _bare(weights.uri))
    yield from (f"{name}.{weights.tag}" for name in (entry.name, *entry.aliases))


def _bare(uri: str) -> str:
    """Leave the scheme out."""
    return uri.rpartition("://")[2]


_NETWORKS = {name: entry for entry in ENTRIES.values() for name in (entry.name, *entry.aliases)}

# Where a checkpoint's name is a network's, too, the network is meant, with its default weights.
_CHECKPOINTS = {
    name: (entry, weights.tag)
    for entry in ENTRIES.values()
    for weights in entry.weights
    for name in _names_of_weights(entry, weights)
}
