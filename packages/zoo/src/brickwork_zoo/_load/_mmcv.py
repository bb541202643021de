"""The names of mmcv's runner that the rest of the package has under other names. Needs torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from torch import nn

from brickwork_zoo._find._catalog import deprecated_names, urls
from brickwork_zoo._formats._file_tensors import MapLocation

from ._checkpoint_loader import CheckpointLoader
from ._load_state_dict import Logger, load_state_dict
from ._revise_keys import STRIP_MODULE, ReviseKeys
from ._select_state_dict import StateDict, select


def _load_checkpoint(
    filename: str | os.PathLike[str],
    map_location: MapLocation = None,
    logger: Logger = None,
) -> Any:
    """Read a checkpoint from a path or URI; see :meth:`CheckpointLoader.load_checkpoint`."""
    return CheckpointLoader.load_checkpoint(filename, map_location, logger)


def _load_checkpoint_with_prefix(
    prefix: str, filename: str | os.PathLike[str], map_location: MapLocation = None
) -> StateDict:
    """Read the part of a checkpoint's state dict below a prefix, without the prefix."""
    checkpoint = CheckpointLoader.load_checkpoint(filename, map_location)
    return select(checkpoint, os.fspath(filename), prefix=prefix)[0]


def _load_checkpoint_to_model(
    model: nn.Module,
    checkpoint: Mapping[str, Any],
    strict: bool = False,
    logger: Logger = None,
    revise_keys: ReviseKeys = STRIP_MODULE,
) -> Mapping[str, Any]:
    """Load a checkpoint that has been read into a model, as mmengine calls it; returns it."""
    state_dict, keys = select(checkpoint, "the checkpoint", revise_keys=revise_keys)
    load_state_dict(model, state_dict, strict, logger, keys=keys)
    return checkpoint


def get_torchvision_models() -> dict[str, str]:
    """The names behind ``torchvision://`` and their URLs."""
    return urls("torchvision")


def get_external_models() -> dict[str, str]:
    """The names behind ``open-mmlab://`` and their URLs, with what the user has added."""
    return urls("open-mmlab")


def get_mmcls_models() -> dict[str, str]:
    """The names behind ``mmcls://`` and their URLs."""
    return urls("mmcls")


def get_deprecated_model_names() -> dict[str, str]:
    """The old names behind ``open-mmlab://`` and those that replaced them."""
    return deprecated_names()
