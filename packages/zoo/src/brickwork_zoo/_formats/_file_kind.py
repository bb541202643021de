"""Detection of a checkpoint's format from its first bytes."""

from __future__ import annotations

from pathlib import Path

from brickwork_zoo.errors import CheckpointError

from ._safetensors_header import MAX_HEADER
from ._torch_legacy import LEGACY_HEAD


def kind_of(path: Path) -> str:
    """Return the format of a checkpoint, independently of its file name.

    Returns:
        ``"zip"``, ``"legacy"``, ``"safetensors"``, ``"index"``, ``"dcp"`` or ``"folder"``.

    Raises:
        CheckpointError: If it has none of these formats; the message says what it seems to be.
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
    if head[:1] == b"\x80" and LEGACY_HEAD in head[:32]:
        return "legacy"
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= MAX_HEADER:
        return "safetensors"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"{"):
        return "index"
    raise CheckpointError(f"{path} is not a checkpoint: {_description(head, text)}", path=path)


def _description(head: bytes, text: bytes) -> str:
    if not head:
        return "the file is empty"
    if text.startswith(b"<"):
        return "it is an HTML or XML page, perhaps a login page; download the file again"
    if text.startswith(b"version https://git-lfs"):
        return "it is a git-lfs pointer; run `git lfs pull` to download the file itself"
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"(\xb5/\xfd")):
        return "it is compressed; unpack it first"
    if head.startswith(b"\x89HDF"):
        return "it is an HDF5 file (Keras)"
    if head.startswith(b"\x93NUMPY"):
        return "it is a numpy array"
    if head[:1] == b"\x80":
        return "it is a pickle that torch.save did not write"
    return f"it begins with {head[:16]!r}"
