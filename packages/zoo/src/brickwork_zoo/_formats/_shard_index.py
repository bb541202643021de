"""Which files a sharded checkpoint, or a folder as model hubs lay it out, is made of."""

from __future__ import annotations

import json
import re
from pathlib import Path

from brickwork_zoo.errors import CheckpointError

# What may be the one checkpoint in a folder, the likeliest first.
_PATTERNS = (
    "*.safetensors.index.json",
    "*.safetensors",
    "*.bin.index.json",
    "pytorch_model.bin",
    "*.pth",
    "*.pt",
    "*.bin",
)


def read_index(path: Path) -> dict[str, list[str]]:
    """Read the index of a sharded checkpoint.

    Args:
        path: ``*.index.json``: ``{"weight_map": {key: file name}}``.

    Returns:
        File name -> the keys in it.

    Raises:
        CheckpointError: It is no index, or names a file outside of its own folder.
    """
    try:
        weight_map = json.loads(path.read_text("utf-8"))["weight_map"]
        files: dict[str, list[str]] = {}
        for key, name in weight_map.items():
            files.setdefault(name, []).append(key)
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is no index of a sharded checkpoint: {type(error).__name__} {error}", path=path
        ) from error
    for name in files:
        if not isinstance(name, str) or not re.fullmatch(r"[^/\\:\x00]+", name) or name == "..":
            raise CheckpointError(f"{path} names {name!r}, which is no file beside it", path=path)
    return files


def index_in(folder: Path) -> Path:
    """Find the one checkpoint in a folder.

    Args:
        folder: A folder as model hubs lay them out.

    Returns:
        Its index, or its only file of weights.

    Raises:
        CheckpointError: There is none, or more than one to choose from.
    """
    for pattern in _PATTERNS:
        if found := sorted(filter(Path.is_file, folder.glob(pattern))):
            if len(found) == 1:
                return found[0]
            names = ", ".join(p.name for p in found[:5])
            raise CheckpointError(
                f"{folder} holds several checkpoints, name one: {names}", path=folder
            )
    raise CheckpointError(f"{folder} holds no checkpoint", path=folder)
