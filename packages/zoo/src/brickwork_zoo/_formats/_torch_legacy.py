"""The format of torch before 1.6: its layout, found out without torch."""

from __future__ import annotations

import pickle
import pickletools
from pathlib import Path
from typing import Any, BinaryIO

from brickwork_zoo.errors import CheckpointError

from ._torch_layout import Pickled

# What torch.save has written before the data since 2016: a number and a version, both pickled.
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
LEGACY_HEAD = pickle.dumps(_MAGIC, protocol=2)[2:]  # behind the protocol's number


def read_legacy(path: Path) -> Pickled:
    """Find the main pickle of a file in the format of torch before 1.6.

    Args:
        path: The file.

    Returns:
        Its layout.

    Raises:
        CheckpointError: It is cut off or damaged.
    """
    try:
        with path.open("rb") as file:
            head = [_skip_pickle(file) for _ in range(3)]  # number, version, about the machine
            if head[1] != _PROTOCOL:
                raise ValueError(f"version {head[1]!r}")
            return Pickled(path, "legacy", file.tell())
    except Exception as error:  # garbled pickles fail in any way
        raise CheckpointError(f"{path} is cut off or damaged: {error}", path=path) from error


def _skip_pickle(file: BinaryIO) -> Any:
    """Step over a pickle; returns the last plain value that it mentions."""
    value = None
    for opcode, arg, _ in pickletools.genops(file):
        if arg is not None and opcode.name not in ("PROTO", "BINPUT"):
            value = arg
    return value
