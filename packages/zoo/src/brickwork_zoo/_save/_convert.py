"""From a checkpoint to a file of only weights. Needs torch."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from brickwork_zoo._load._checkpoint_loader import CheckpointLoader
from brickwork_zoo._load._load_state_dict import check_state_dict
from brickwork_zoo._load._revise_keys import ReviseKeys
from brickwork_zoo._load._select_state_dict import select
from brickwork_zoo.errors import InvalidInputError

from ._atomic_write import is_url, write
from ._save_checkpoint import write_safetensors


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str] | None = None,
    *,
    prefix: str | None = None,
    entry: str | None = None,
    revise_keys: ReviseKeys = (),
    weights_only: bool = True,
) -> Path:
    """Write the weights of a checkpoint, and nothing else, to a new file.

    Args:
        source: A path or URI.
        target: Ends in ``.safetensors``, or in ``.pth`` or ``.pt``; by default the source's name
            with ``.safetensors``, in the current folder.
        prefix: Only what lies below this name.
        entry: The key under which the checkpoint keeps its state dict.
        revise_keys: Rewrites the keys, see :func:`load_checkpoint`.
        weights_only: ``False`` runs whatever code the source holds: only on a machine and for a
            file that you trust.

    Returns:
        The new file.

    Raises:
        CheckpointError: The source is broken or holds no state dict.
        UnsafeCheckpointError: It would run code.
        InvalidInputError: The target's ending is neither, or it is no path.
    """
    name = os.fspath(source)
    if target is not None and is_url(os.fspath(target)):
        raise InvalidInputError(f"{target}: convert writes to a path, not to a URL")
    stem = Path(name.rstrip("/").rpartition("/")[2].partition("@")[0]).stem
    path = Path(f"{stem}.safetensors" if target is None else target).expanduser()
    if path.suffix not in (".safetensors", ".pth", ".pt"):
        raise InvalidInputError(f"{path} must end in .safetensors, .pth or .pt")
    checkpoint = CheckpointLoader.load_checkpoint(name, "cpu", weights_only=weights_only)
    state_dict, _ = select(checkpoint, name, prefix=prefix, entry=entry, revise_keys=revise_keys)
    check_state_dict(state_dict, name)
    if path.suffix == ".safetensors":
        write_safetensors(state_dict, str(path), {"source": name})
    else:
        write(str(path), lambda part: torch.save(state_dict, part))
    return path
