"""torch's zip format, of 1.6 and later: its layout, found out without torch."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from brickwork_zoo.errors import CheckpointError

from ._file_window import Window
from ._torch_layout import Pickled


def read_zip(path: Path, start: int = 0, length: int | None = None) -> Pickled:
    """Find the records of a file in torch's zip format.

    Args:
        path: The file.
        start: Where in it the archive begins.
        length: How many bytes the archive has; by default all that follow.

    Returns:
        Its layout.

    Raises:
        CheckpointError: It is cut off, contradicts itself, or is no checkpoint.
    """
    try:
        with path.open("rb") as file:
            window = Window(file, start, path.stat().st_size - start if length is None else length)
            return _read(path, window, start)
    except CheckpointError:
        raise
    except Exception as error:  # what zipfile makes of garbled archives is of many kinds
        raise CheckpointError(
            f"{path} is cut off or damaged: {error}; fetch it again", path=path
        ) from error


def _read(path: Path, window: Window, start: int) -> Pickled:
    with zipfile.ZipFile(window) as archive:
        infos = archive.infolist()
    entries = {info.filename: info for info in infos}
    if len(entries) != len(infos):
        raise ValueError("an entry is there twice")
    names = [name for name in entries if re.fullmatch(r"[^/]+/data\.pkl", name)]
    if len(names) != 1:
        raise CheckpointError(
            f"{path} is a zip archive without a checkpoint, or with several", path=path
        )
    top = names[0].removesuffix("data.pkl")
    if f"{top}constants.pkl" in entries:
        raise CheckpointError(
            f"{path} is a TorchScript program, not a checkpoint; torch.jit.load runs it", path=path
        )
    spans = {
        name.removeprefix(top): _span(window, info)
        for name, info in entries.items()
        if name.startswith((names[0], f"{top}data/", f"{top}byteorder"))
    }
    _check_apart(spans)
    order = b"little"
    if "byteorder" in spans:
        place, length = spans["byteorder"]
        window.seek(place)
        order = window.read(min(length, 16)) or b""
    records = {
        name.removeprefix("data/"): (start + place, length)
        for name, (place, length) in spans.items()
        if name.startswith("data/")
    }
    return Pickled(path, "zip", start + spans["data.pkl"][0], records, order == b"big")


def _span(window: Window, info: zipfile.ZipInfo) -> tuple[int, int]:
    """Where an entry's bytes lie; behind its local header, whose length may be its own."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise ValueError(f"{info.filename} is compressed or encrypted")
    window.seek(info.header_offset)
    header = window.read(30) or b""
    if header[:4] != b"PK\x03\x04" or len(header) < 30:
        raise ValueError(f"{info.filename} has no header")
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    place = info.header_offset + 30 + name_length + extra_length
    if place + info.file_size > window.seek(0, 2):
        raise ValueError(f"{info.filename} reaches past the file's end")
    return place, info.file_size


def _check_apart(spans: Mapping[str, tuple[int, int]]) -> None:
    end = 0
    for name, (place, length) in sorted(spans.items(), key=lambda item: item[1]):
        if length and place < end:
            raise ValueError(f"{name} lies over another entry")
        end = max(end, place + length)
