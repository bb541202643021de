"""Writing the weights of a checkpoint to a new file. Needs torch."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from brickwork_zoo._find._file_hash import Sha256
from brickwork_zoo._load._load_state_dict import check_values
from brickwork_zoo._load._read_checkpoint import read_checkpoint
from brickwork_zoo._load._revise_keys import ReviseKeys
from brickwork_zoo._load._select_state_dict import select_state_dict
from brickwork_zoo._redact import redact_credentials
from brickwork_zoo.errors import InvalidInputError

from ._atomic_write import is_url, write_atomically
from ._write_safetensors import write_safetensors

_SUFFIXES = (".safetensors", ".pth", ".pt")


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str] | None = None,
    *,
    prefix: str | None = None,
    entry: str | None = None,
    revise_keys: ReviseKeys = (),
    weights_only: bool = True,
    sha256: Sha256 = None,
) -> Path:
    """Write the weights of a checkpoint, and the versions of their modules, to a new file.

    Args:
        source: A path or URI.
        target: Path that ends with ``.safetensors``, ``.pth`` or ``.pt``; by default the source's
            name with ``.safetensors``, in the current folder.
        prefix: Select only the keys with this prefix, and remove it.
        entry: Key of the state dict in the checkpoint.
        revise_keys: Rules that rename the keys, see :func:`load_checkpoint`.
        weights_only: False runs the code in the source: only for files that you trust as you would
            a program.
        sha256: Expected SHA-256 of the source, or its first 8 or more digits; False skips the check
            of a download, with a warning. See :func:`download`.

    Returns:
        Path of the new file.

    Raises:
        CheckpointError: If the source is damaged or has no state dict.
        UnsafeCheckpointError: If loading the source would run code.
        InvalidInputError: If the target has another suffix, or is a URL.
    """
    name = redact_credentials(os.fspath(source))
    if target is not None and is_url(os.fspath(target)):
        raise InvalidInputError(f"target must be a path, got the URL {target}")
    stem = Path(name.rstrip("/").rpartition("/")[2].partition("@")[0]).stem
    path = Path(f"{stem}.safetensors" if target is None else target).expanduser()
    if path.suffix not in _SUFFIXES:
        raise InvalidInputError(f"target must end with one of {', '.join(_SUFFIXES)}, got {path}")
    checkpoint = read_checkpoint(source, "cpu", weights_only=weights_only, sha256=sha256)
    state_dict = select_state_dict(
        checkpoint, prefix=prefix, entry=entry, revise_keys=revise_keys, source=name
    )
    check_values(state_dict, name)
    if path.suffix == ".safetensors":
        write_safetensors(state_dict, str(path), text={"source": name})
    else:
        write_atomically(str(path), lambda partial: torch.save(state_dict, partial))
    return path
