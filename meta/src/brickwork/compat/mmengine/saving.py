"""The part of `mmengine.runner.checkpoint` that differs from mmcv's, where none is installed."""

import os
from pathlib import Path
from typing import Any

import torch
from brickwork_zoo import _load_checkpoint_to_model

__all__ = ["_load_checkpoint_to_model", "find_latest_checkpoint", "save_checkpoint"]


def save_checkpoint(
    checkpoint: dict[str, Any],
    filename: str | Path,
    file_client_args: None = None,
    backend_args: None = None,
) -> None:
    """Save a checkpoint, whole or not at all.

    Args:
        checkpoint: What is saved: `state_dict`, `meta`, ...
        filename: The file.
        file_client_args: None; other places than files need mmengine.
        backend_args: Likewise.

    Raises:
        ValueError: If another place is asked for.
    """
    if file_client_args is not None or backend_args is not None:
        raise ValueError(
            f"save_checkpoint writes files here, and got {file_client_args or backend_args!r};"
            f" install mmengine for its other places"
        )
    target = Path(filename)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        torch.save(checkpoint, unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def find_latest_checkpoint(path: str | Path) -> str | None:
    """Return the checkpoint that the file `last_checkpoint` of a folder names; None without one."""
    note = Path(path) / "last_checkpoint"
    return note.read_text(encoding="utf-8").strip() if note.exists() else None
