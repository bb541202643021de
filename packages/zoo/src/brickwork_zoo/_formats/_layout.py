"""Where a file keeps its pickle and its tensors' bytes, found out without torch.

Every reader checks that what the file claims lies inside of the file, so that nothing later has to.
"""

from __future__ import annotations

import json
import pickle
import pickletools
import re
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

from brickwork_zoo.errors import CheckpointError

# What torch.save has written before the data since 2016: a number and a version, both pickled.
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
_LEGACY_HEAD = pickle.dumps(LEGACY_MAGIC, protocol=2)[2:]  # behind the protocol's number

MAX_HEADER = 100 * 2**20  # bytes of a safetensors header, the limit of the format's own library

SAFETENSORS_DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "U16": "uint16",
    "I32": "int32",
    "U32": "uint32",
    "I64": "int64",
    "U64": "uint64",
    "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
}
ITEM_SIZES = {
    **dict.fromkeys(("bool", "uint8", "int8", "quint8", "qint8", "quint4x2", "quint2x4"), 1),
    **dict.fromkeys(("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"), 1),
    **dict.fromkeys(("int16", "uint16", "float16", "bfloat16"), 2),
    **dict.fromkeys(("int32", "uint32", "float32", "qint32", "complex32"), 4),
    **dict.fromkeys(("int64", "uint64", "float64", "complex64"), 8),
    "complex128": 16,
}


@dataclass(frozen=True)
class Entry:
    """A tensor of a safetensors file.

    Attributes:
        dtype: torch's name of it.
        shape: Its shape.
        start: First byte in the file.
        stop: The byte after its last.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Pickled:
    """A file that ``torch.save`` wrote.

    Attributes:
        path: The file.
        kind: ``"zip"`` or ``"legacy"``.
        pickle_start: Where the main pickle begins.
        records: Storage key -> (first byte, length); for a legacy file empty, as it comes last.
        big_endian: Whether numbers are stored most significant byte first.
    """

    path: Path
    kind: str
    pickle_start: int
    records: dict[str, tuple[int, int]] = field(default_factory=dict)
    big_endian: bool = False


def kind_of(path: Path) -> str:
    """Say what a path holds by its first bytes, whatever its name is.

    Args:
        path: A file or folder.

    Returns:
        ``"zip"``, ``"legacy"``, ``"safetensors"``, ``"index"``, ``"dcp"`` or ``"folder"``.

    Raises:
        CheckpointError: It is none of these; says what it seems to be.
    """
    if path.is_dir():
        return "dcp" if (path / ".metadata").is_file() else "folder"
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error}", path=path) from error
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head[:1] == b"\x80" and _LEGACY_HEAD in head[:32]:
        return "legacy"
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= MAX_HEADER:
        return "safetensors"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"{"):
        return "index"
    raise CheckpointError(f"{path} is no checkpoint: {_looks_like(head, text)}", path=path)


def _looks_like(head: bytes, text: bytes) -> str:
    if not head:
        return "the file is empty"
    if text.startswith(b"<"):
        return "it is an HTML or XML page, perhaps of a server that wanted a login; fetch it again"
    if text.startswith(b"version https://git-lfs"):
        return "it is a git-lfs pointer; `git lfs pull` fetches the file itself"
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"(\xb5/\xfd")):
        return "it is compressed; unpack it first"
    if head.startswith(b"\x89HDF"):
        return "it is an HDF5 file (Keras)"
    if head.startswith((b"\x93NUMPY",)):
        return "it is a numpy array"
    if head[:1] == b"\x80":
        return "it is a pickle that torch.save did not write"
    return f"it begins with {head[:16]!r}"


def read_zip(path: Path) -> Pickled:
    """Find the records of a file in torch's zip format.

    Args:
        path: The file.

    Returns:
        Its layout.

    Raises:
        CheckpointError: It is cut off, or no checkpoint.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            size = path.stat().st_size
            entries = {info.filename: info for info in archive.infolist()}
            name = next((n for n in entries if re.fullmatch(r"[^/]+/data\.pkl", n)), None)
            if name is None:
                raise CheckpointError(f"{path} is a zip archive without a checkpoint", path=path)
            top = name.removesuffix("data.pkl")
            if f"{top}constants.pkl" in entries:
                raise CheckpointError(
                    f"{path} is a TorchScript program, not a checkpoint; torch.jit.load runs it",
                    path=path,
                )
            spans = {
                entry.removeprefix(top): _span(path, file, info, size)
                for entry, info in entries.items()
                if entry.startswith((name, f"{top}data/", f"{top}byteorder"))
            }
            order = b"little"
            if "byteorder" in spans:
                file.seek(spans["byteorder"][0])
                order = file.read(spans["byteorder"][1])
    except (zipfile.BadZipFile, struct.error, ValueError, OSError) as error:
        raise CheckpointError(
            f"{path} is cut off or damaged: {error}; fetch it again", path=path
        ) from error
    records = {k.removeprefix("data/"): v for k, v in spans.items() if k.startswith("data/")}
    return Pickled(path, "zip", spans["data.pkl"][0], records, order == b"big")


def _span(path: Path, file: BinaryIO, info: zipfile.ZipInfo, size: int) -> tuple[int, int]:
    """Where an entry's bytes lie; behind its local header, whose length may be its own."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise CheckpointError(f"{path}: {info.filename} is compressed or encrypted", path=path)
    file.seek(info.header_offset)
    header = file.read(30)
    if header[:4] != b"PK\x03\x04" or len(header) < 30:
        raise CheckpointError(f"{path}: {info.filename} has no header", path=path)
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    start = info.header_offset + 30 + name_length + extra_length
    if start + info.file_size > size:
        raise CheckpointError(f"{path}: {info.filename} reaches past the file's end", path=path)
    return start, info.file_size


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
            if head[1] != LEGACY_PROTOCOL:
                raise ValueError(f"version {head[1]!r}")
            return Pickled(path, "legacy", file.tell())
    except (ValueError, OSError, IndexError) as error:
        raise CheckpointError(f"{path} is cut off or damaged: {error}", path=path) from error


def _skip_pickle(file: BinaryIO) -> Any:
    """Step over a pickle; returns the last plain value that it mentions."""
    value = None
    for opcode, arg, _ in pickletools.genops(file):
        if arg is not None and opcode.name not in ("PROTO", "BINPUT"):
            value = arg
    return value


def read_safetensors(path: Path) -> dict[str, Entry]:
    """Read and check the header of a safetensors file.

    Args:
        path: The file.

    Returns:
        Key -> where its tensor lies, in the order of the file.

    Raises:
        CheckpointError: The header is no JSON, contradicts itself, or reaches past the file's end.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size = path.stat().st_size
            if length > min(MAX_HEADER, size - 8):
                raise ValueError(f"a header of {length} bytes in a file of {size}")
            header = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=_no_twice)
        if not isinstance(header, dict):
            raise ValueError("the header is no JSON object")
        header.pop("__metadata__", None)
        entries = {key: _entry(key, value, 8 + length, size) for key, value in header.items()}
        end = 8 + length
        for key, entry in sorted(entries.items(), key=lambda item: item[1].start):
            if entry.start < end:
                raise ValueError(f"{key!r} lies over another tensor")
            end = entry.stop
    except (ValueError, OSError, RecursionError) as error:
        raise CheckpointError(f"{path} has a bad safetensors header: {error}", path=path) from error
    return entries


def _entry(key: str, value: Any, data: int, size: int) -> Entry:
    if not isinstance(value, dict):
        raise ValueError(f"{key!r} is not described by an object")
    dtype = SAFETENSORS_DTYPES.get(str(value.get("dtype")))
    shape, offsets = value.get("shape"), value.get("data_offsets")
    if dtype is None:
        raise ValueError(f"{key!r} has the unknown dtype {value.get('dtype')!r}")
    if not (_naturals(shape) and _naturals(offsets) and len(offsets) == 2):
        raise ValueError(f"{key!r} has shape {shape!r} and data_offsets {offsets!r}")
    needed = ITEM_SIZES[dtype]
    for length in shape:
        needed *= length
    start, stop = data + offsets[0], data + offsets[1]
    if stop - start != needed or stop > size:
        raise ValueError(f"{key!r} needs {needed} bytes, has {stop - start} up to byte {stop}")
    return Entry(dtype, tuple(shape), start, stop)


def _naturals(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(v) is int and v >= 0 for v in value)


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key is there twice")
    return table


def read_index(path: Path) -> dict[str, list[str]]:
    """Read the index of a sharded checkpoint.

    Args:
        path: ``*.index.json``: ``{"weight_map": {key: file name}}``.

    Returns:
        File name -> the keys in it.

    Raises:
        CheckpointError: It is no index, or names a file outside of its own folder.
    """
    try:
        weight_map = json.loads(path.read_text("utf-8"))["weight_map"]
        files: dict[str, list[str]] = {}
        for key, name in weight_map.items():
            files.setdefault(name, []).append(key)
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is no index of a sharded checkpoint: {type(error).__name__} {error}", path=path
        ) from error
    for name in files:
        if not isinstance(name, str) or not re.fullmatch(r"[^/\\:\x00]+", name) or name == "..":
            raise CheckpointError(f"{path} names {name!r}, which is no file beside it", path=path)
    return files


def index_in(folder: Path) -> Path:
    """Find the one checkpoint in a folder.

    Args:
        folder: A folder as model hubs lay them out.

    Returns:
        Its index, or its only file of weights.

    Raises:
        CheckpointError: There is none, or more than one to choose from.
    """
    for pattern in ("*.safetensors.index.json", "*.safetensors", "*.bin.index.json", *_TORCH_NAMES):
        if found := sorted(folder.glob(pattern)):
            if len(found) == 1:
                return found[0]
            names = ", ".join(p.name for p in found[:5])
            raise CheckpointError(
                f"{folder} holds several checkpoints, name one: {names}", path=folder
            )
    raise CheckpointError(f"{folder} holds no checkpoint", path=folder)


_TORCH_NAMES = ("pytorch_model.bin", "*.pth", "*.pt", "*.bin")
