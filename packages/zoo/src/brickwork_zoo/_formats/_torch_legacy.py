"""Reader of the layout of ``torch.save``'s legacy format (before 1.6). Works without torch."""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from brickwork_zoo.errors import CheckpointError

from ._data_file import DataFile, damaged
from ._file_window import open_stream
from ._stored_tensor import StoredBytes
from ._torch_layout import TorchLayout

# A legacy file begins with these two numbers, each pickled.
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
LEGACY_HEAD = pickle.dumps(_MAGIC, protocol=2)[2:]  # without the protocol number

_COUNT_BYTES = 8  # size of the element count in front of each storage


def read_legacy(file: DataFile) -> TorchLayout:
    """Find the main pickle of a file in the legacy format."""
    try:
        with open_stream(file) as stream:
            # magic number, format version, properties of the machine
            head = [_skip_pickle(stream) for _ in range(3)]
            if head[1] != _PROTOCOL:
                raise ValueError(f"the format version must be {_PROTOCOL}, got {head[1]!r}")
            return TorchLayout(file, "legacy", stream.tell())
    except CheckpointError:
        raise
    except Exception as error:  # damaged pickles raise many types
        raise damaged(file, error) from error


def _skip_pickle(stream: BinaryIO) -> Any:
    """Skip a pickle and return the last number or string in it."""
    value = None
    for opcode, arg, _ in pickletools.genops(stream):
        if arg is not None and opcode.name not in ("PROTO", "BINPUT"):
            value = arg
    return value


def locate_storages(
    file: DataFile, storages: Mapping[str, StoredBytes], order: Iterable[str], start: int
) -> None:
    """Set the `start` of each storage in a legacy file.

    Raises:
        CheckpointError: If the file is truncated, or its storages differ from those in the pickle.
    """
    located: set[str] = set()
    count = bytearray(_COUNT_BYTES)
    for key in order:
        storage = storages.get(key)
        if storage is None or key in located:
            raise damaged(file, f"storage {key!r} belongs to no tensor")
        if start + _COUNT_BYTES + storage.length > file.size:
            raise damaged(file, f"it ends within storage {key!r}")
        file.read_into(memoryview(count), start)
        if int.from_bytes(count, "little") * storage.item_size != storage.length:
            raise damaged(file, f"the length of storage {key!r} differs from that in the pickle")
        storage.start = start + _COUNT_BYTES
        start += _COUNT_BYTES + storage.length
        located.add(key)
    if missing := sorted(storages.keys() - located):
        raise damaged(file, f"storages {missing[:5]} are missing")
