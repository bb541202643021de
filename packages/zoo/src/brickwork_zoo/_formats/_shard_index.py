"""Lookup of checkpoint files: the shards in an index, and the checkpoint in a folder."""

from __future__ import annotations

import json
import re
from pathlib import Path

from brickwork_zoo.errors import CheckpointError

# Patterns of checkpoint files, the preferred one first.
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

    Returns:
        File name of each shard -> the keys in it.
    """
    try:
        weight_map = json.loads(path.read_text("utf-8"))["weight_map"]
        files: dict[str, list[str]] = {}
        for key, name in weight_map.items():
            files.setdefault(name, []).append(key)
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is not an index of a sharded checkpoint: it must be a JSON object with a "
            f"table 'weight_map' ({type(error).__name__}: {error})",
            path=path,
        ) from error
    for name in files:
        if not isinstance(name, str) or not re.fullmatch(r"[^/\\:\x00]+", name) or name == "..":
            raise CheckpointError(
                f"{path} lists the shard {name!r}, expected the name of a file in the same folder",
                path=path,
            )
    return files


def checkpoint_in(folder: Path) -> Path:
    """Return the path of the only checkpoint in a folder."""
    for pattern in _PATTERNS:
        if files := sorted(filter(Path.is_file, folder.glob(pattern))):
            if len(files) == 1:
                return files[0]
            names = ", ".join(path.name for path in files[:5])
            raise CheckpointError(
                f"the folder {folder} has {len(files)} checkpoints: pass the path of one ({names})",
                path=folder,
            )
    raise CheckpointError(
        f"the folder {folder} has no checkpoint: no file matches {', '.join(_PATTERNS)}",
        path=folder,
    )
