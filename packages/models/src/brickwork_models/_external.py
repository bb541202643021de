"""Models of torchvision and timm: built by their own library, loaded through the zoo."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Literal

import brickwork_zoo
from brickwork_zoo.errors import UnknownModelError
from torch import nn

from ._entries._weights import IMAGENET_CLASSES
from .errors import MissingLibraryError, ModelError, NoWeightsError, UnknownNameError

EXTERNAL_LIBRARIES = ("torchvision", "timm")

# What torchvision's functions add to the arguments when they are called with weights.
TORCHVISION_ARGUMENTS: dict[str, dict[str, Any]] = {
    "googlenet": {"transform_input": True, "aux_logits": False, "init_weights": False},
    "inception_v3": {"transform_input": True, "init_weights": False},
}


def create_external(
    uri: str,
    pretrained: bool | str,
    num_classes: int | Literal["default"] | None,
    sha256: str | Literal[False] | None,
    options: dict[str, Any],
    alternatives: Sequence[str],
) -> nn.Module:
    """Build a model with the library that its URI names.

    Args:
        uri: URI such as ``"torchvision://vit_b_16"`` or ``"timm://resnet50.a1_in1k"``.
        pretrained: Whether to load the weights that the URI names.
        num_classes: Number of classes; see :func:`create_model`.
        sha256: Expected hash of the weights; see :func:`create_model`.
        options: Arguments of the library's function.
        alternatives: Names to suggest if the library cannot build the model.

    Returns:
        The model, in training mode.

    Raises:
        MissingLibraryError: The library is not installed.
        UnknownNameError: The library has no such model.
        NoWeightsError: It has no weights for the model.
        ModelError: An argument is only supported by the models of this package.
    """
    library_name, _, name = uri.partition("://")
    if isinstance(pretrained, str) or not num_classes:
        raise ModelError(
            f"{uri} is a model of {library_name}: pretrained must be True or False, and "
            f"num_classes at least 1, got {pretrained!r} and {num_classes!r}"
        )
    try:
        library = importlib.import_module(f"{library_name}.models")
    except ImportError as error:
        raise MissingLibraryError(uri, library_name, alternatives) from error
    find = _find_in_torchvision if library_name == "torchvision" else _find_in_timm
    build, weights_uri = find(library, name, uri, alternatives)
    options["num_classes"] = IMAGENET_CLASSES if num_classes == "default" else num_classes
    if not pretrained:
        return build(**options)
    if weights_uri is None:
        raise NoWeightsError(uri, None, ())
    return brickwork_zoo.load_model(
        lambda: build(**options),
        weights_uri,
        on_mismatch="error" if options["num_classes"] == IMAGENET_CLASSES else "skip",
        sha256=sha256,
    )


def _unknown(library: Any, uri: str, alternatives: Sequence[str]) -> UnknownNameError:
    scheme = uri.partition("://")[0]
    known = [f"{scheme}://{name}" for name in library.list_models()]
    return UnknownNameError("model", uri, known, suggestions=alternatives)


Found = tuple[Callable[..., nn.Module], str | None]


def _find_in_torchvision(library: Any, name: str, uri: str, alternatives: Sequence[str]) -> Found:
    """Return the function that builds the model, and the URI of its weights."""
    model_name = name.partition(".")[0]
    if model_name not in library.list_models():
        raise _unknown(library, uri, alternatives)
    weights_uri, arguments = None, {}
    for candidate in (uri, f"{uri}.default"):
        with suppress(UnknownModelError):
            weights_uri = brickwork_zoo.find_model(candidate).uri
            break
    if weights_uri is not None:
        arguments = TORCHVISION_ARGUMENTS.get(model_name, {})
        if model_name.startswith("vit_"):
            tag = weights_uri.rpartition(".")[2].upper()
            meta = library.get_model_weights(model_name)[tag].meta
            arguments = {"image_size": meta["min_size"][0]}
    builder = library.get_model_builder(model_name)
    return (lambda **options: builder(**{**arguments, **options})), weights_uri


def _find_in_timm(library: Any, name: str, uri: str, alternatives: Sequence[str]) -> Found:
    """Return the function that builds the model, and the URI of its weights."""
    if not library.is_model(name):
        raise _unknown(library, uri, alternatives)
    config = library.get_pretrained_cfg(name)
    repository = config and config.hf_hub_id
    weights_uri = f"hf://{repository}/model.safetensors" if repository else None
    return (lambda **options: library.create_model(name, **options)), weights_uri
