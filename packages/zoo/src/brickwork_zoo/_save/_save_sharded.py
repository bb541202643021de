"""Saving sharded models (FSDP2, DTensor). Needs torch."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch.distributed as dist
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict_saver import save
from torch.distributed.tensor import DTensor

from brickwork_zoo._formats._header_values import META, VERSIONS, encode_value
from brickwork_zoo._load._distributed import on_rank_0
from brickwork_zoo.errors import CacheError, InvalidInputError

from ._atomic_write import temporary_sibling


def gather(content: Any) -> Any:
    """Replace DTensors in nested dicts and lists by full CPU tensors; by None on other ranks."""
    if isinstance(content, DTensor):
        full = content.full_tensor()
        return full.cpu() if dist.get_rank() == 0 else None
    if isinstance(content, dict):
        return {key: gather(value) for key, value in content.items()}
    return list(map(gather, content)) if isinstance(content, list) else content


def save_folder(path: Path, content: Mapping[str, Any]) -> None:
    """Write the shards of all ranks to a temporary folder, then rename it to `path`."""
    partial = on_rank_0(lambda: _partial(path))
    # Encoded as text, because torch would convert dict keys to strings and drop the versions.
    entries = {key: value for key, value in content.items() if key != "meta"}
    try:
        entries[META] = encode_value(content["meta"])
    except TypeError as error:
        raise InvalidInputError(
            f"cannot write {path}: meta cannot be stored: {error}", uri=str(path)
        ) from error
    entries[VERSIONS] = encode_value(dict(content["state_dict"]._metadata))
    try:
        # The first warning is about saving without a process group, which is supported; the second
        # is caused by torch 2.10 itself.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)
            warnings.filterwarnings("ignore", "TypedStorage is deprecated", UserWarning)
            save(entries, checkpoint_id=partial, no_dist=not dist.is_initialized())
    except (Exception, CheckpointException) as error:  # torch raises it on all ranks
        shutil.rmtree(partial, ignore_errors=True)
        raise CacheError(f"cannot write {path}: {error}", uri=str(path), path=path) from error
    on_rank_0(lambda: _move(partial, path))


def _partial(path: Path) -> Path:
    if path.exists():
        raise InvalidInputError(
            f"cannot write {path}: it exists, and a folder cannot be replaced atomically; choose "
            "another name, or remove it first",
            uri=str(path),
        )
    return temporary_sibling(path)


def _move(partial: Path, path: Path) -> None:
    try:
        partial.rename(path)
    except OSError as error:
        raise CacheError(f"cannot write {path}: {error}", uri=str(path), path=path) from error
