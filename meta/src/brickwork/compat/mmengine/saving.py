"""Saving a checkpoint, where no mmengine is installed: unlike mmcv's, it takes the whole dict."""

import os
from pathlib import Path
from typing import Any

import torch

__all__ = ["save_checkpoint"]


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
