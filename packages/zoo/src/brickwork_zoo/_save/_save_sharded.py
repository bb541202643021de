"""Saving what several processes hold together (FSDP2, DTensor). Needs torch."""

from __future__ import annotations

import secrets
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch.distributed as dist
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict_saver import save
from torch.distributed.tensor import DTensor

from brickwork_zoo._load._distributed import on_rank_0
from brickwork_zoo.errors import CacheError, InvalidInputError


def gather(content: Any) -> Any:
    """Bring whole tensors together on rank 0, one after the other.

    Args:
        content: Nested dicts and lists with DTensors, on every rank.

    Returns:
        The same with ordinary tensors, in the memory of the CPU where they had been spread; only
        rank 0's are of use.
    """
    if isinstance(content, DTensor):
        whole = content.full_tensor()
        return whole.cpu() if dist.get_rank() == 0 else None
    if isinstance(content, dict):
        return {key: gather(value) for key, value in content.items()}
    return list(map(gather, content)) if isinstance(content, list) else content


def save_folder(path: Path, content: Mapping[str, Any]) -> None:
    """Let every rank write its shards to a folder, which is there whole or not at all.

    Args:
        path: The folder; must not be there, as no file system exchanges folders at one stroke.
        content: Nested dicts, on every rank.

    Raises:
        InvalidInputError: It is there already.
        CacheError: It cannot be written.
    """
    partial = on_rank_0(lambda: _partial(path))
    try:
        # Of running alone, where that is meant, and of what torch 2.10 itself does.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)
            warnings.filterwarnings("ignore", "TypedStorage is deprecated", UserWarning)
            save(dict(content), checkpoint_id=partial, no_dist=not dist.is_initialized())
    except (Exception, CheckpointException) as error:  # the latter, what ranks tell each other
        shutil.rmtree(partial, ignore_errors=True)
        raise CacheError(f"cannot write {path}: {error}", uri=str(path), path=path) from error
    on_rank_0(lambda: _move(partial, path))


def _partial(path: Path) -> Path:
    if path.exists():
        raise InvalidInputError(
            f"{path} is there already, and a folder cannot be replaced at one stroke: give another "
            "name, or remove it first",
            uri=str(path),
        )
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def _move(partial: Path, path: Path) -> None:
    try:
        partial.rename(path)
    except OSError as error:
        raise CacheError(f"cannot write {path}: {error}", uri=str(path), path=path) from error
