"""Reader of the layout of ``torch.save``'s zip format (1.6 and later). Works without torch."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Mapping

from brickwork_zoo.errors import CheckpointError

from ._data_file import DataFile, damaged
from ._file_window import FileWindow
from ._torch_layout import TorchLayout


def read_zip(file: DataFile, start: int = 0, length: int | None = None) -> TorchLayout:
    """Find the records of an archive that ``torch.save`` wrote.

    Args:
        file: The file.
        start: Offset of the archive in the file.
        length: Size of the archive in bytes; by default the rest of the file.

    Raises:
        CheckpointError: If the archive is truncated, inconsistent or not a checkpoint.
    """
    window = FileWindow(file, start, length)
    try:
        return _read(file, window, start)
    except CheckpointError:
        raise
    except Exception as error:  # zipfile raises many types for damaged archives
        raise damaged(file, error) from error


def _read(file: DataFile, window: FileWindow, start: int) -> TorchLayout:
    with zipfile.ZipFile(window) as archive:
        infos = archive.infolist()
    entries = {info.filename: info for info in infos}
    if len(entries) != len(infos):
        raise ValueError("the archive lists an entry twice")
    names = [name for name in entries if re.fullmatch(r"[^/]+/data\.pkl", name)]
    if len(names) != 1:
        raise CheckpointError(
            f"{file.path} is not a checkpoint: the zip archive must have one entry such as "
            f"archive/data.pkl, got {len(names)}",
            path=file.path,
        )
    top = names[0].removesuffix("data.pkl")
    if f"{top}constants.pkl" in entries:
        raise CheckpointError(
            f"{file.path} is a TorchScript program, not a checkpoint: load it with torch.jit.load, "
            "which runs its code, and save its state_dict()",
            path=file.path,
        )
    spans = {
        name.removeprefix(top): _span(window, info)
        for name, info in entries.items()
        if name.startswith((names[0], f"{top}data/", f"{top}byteorder"))
    }
    _check_disjoint(spans)
    order = b"little"
    if "byteorder" in spans:
        position, length = spans["byteorder"]
        window.seek(position)
        order = window.read(min(length, 16)) or b""
    records = {
        name.removeprefix("data/"): (start + position, length)
        for name, (position, length) in spans.items()
        if name.startswith("data/")
    }
    return TorchLayout(file, "zip", start + spans["data.pkl"][0], records, order == b"big")


def _span(window: FileWindow, info: zipfile.ZipInfo) -> tuple[int, int]:
    """Return position and length of an entry's data, which follows its local header."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise ValueError(f"the entry {info.filename} is compressed or encrypted")
    window.seek(info.header_offset)
    header = window.read(30) or b""
    if header[:4] != b"PK\x03\x04" or len(header) < 30:
        raise ValueError(f"the entry {info.filename} has no header")
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    position = info.header_offset + 30 + name_length + extra_length
    if position + info.file_size > window.seek(0, 2):
        raise ValueError(f"the entry {info.filename} extends past the end of the file")
    return position, info.file_size


def _check_disjoint(spans: Mapping[str, tuple[int, int]]) -> None:
    end = 0
    for name, (position, length) in sorted(spans.items(), key=lambda item: item[1]):
        if length and position < end:
            raise ValueError(f"the entry {name} overlaps another one")
        end = max(end, position + length)
