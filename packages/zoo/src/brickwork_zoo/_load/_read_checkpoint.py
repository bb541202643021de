"""`read_checkpoint`: from a path or URI to a checkpoint in memory. Needs torch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from brickwork_zoo._fetch._cache import is_cached
from brickwork_zoo._fetch._download import download
from brickwork_zoo._find._file_hash import Sha256
from brickwork_zoo._find._resolve import resolve, sibling
from brickwork_zoo._formats._file_tensors import Access
from brickwork_zoo._formats._lazy_tensor import read_all
from brickwork_zoo._formats._map_location import MapLocation
from brickwork_zoo._formats._read_path import read_path

from ._select_state_dict import select_state_dict


def read_checkpoint(
    uri: str | os.PathLike[str],
    map_location: MapLocation = None,
    *,
    weights_only: bool = True,
    sha256: Sha256 = None,
    mmap: bool | None = None,
    home: str | os.PathLike[str] | None = None,
) -> Any:
    """Read a checkpoint from a path or URI.

    Args:
        uri: A path, a folder with a sharded checkpoint, or a URI such as ``https://...``,
            ``torchvision://resnet50`` or ``hf://owner/repo/file``.
        map_location: Devices of the tensors, as for :func:`torch.load`; None for the devices that
            they were saved on.
        weights_only: False runs the code in the file.
        sha256: Expected SHA-256 of the file, or its first 8 or more digits; False skips the check
            of a download, with a warning. See :func:`download`.
        mmap: True maps the file, which must not be modified while the checkpoint is in use. False
            reads it. None maps only files of the zoo's cache.
        home: Folder of the cache, if not the default.

    Returns:
        The object that was saved.

    Raises:
        CheckpointError: If the file is damaged or not a checkpoint.
        UnsafeCheckpointError: If loading the file would run code.
        ZooError: If the file cannot be found or downloaded, see :func:`download`.
    """
    content = open_checkpoint(
        uri, map_location, weights_only=weights_only, sha256=sha256, mmap=mmap, home=home
    )
    return read_all(content)


def open_checkpoint(
    uri: str | os.PathLike[str],
    map_location: MapLocation = None,
    *,
    weights_only: bool = True,
    sha256: Sha256 = None,
    mmap: bool | None = None,
    home: str | os.PathLike[str] | None = None,
    lazy: bool = False,
) -> Any:
    """Read a checkpoint as `read_checkpoint` does; with `lazy`, tensors may be lazy tensors."""
    resource = resolve(uri, sha256=sha256)
    if resource.reader is not None:
        return resource.reader(os.fspath(uri), map_location)

    def get_shard(name: str) -> Path:
        target = sibling(resource, name)
        if resource.path is not None:
            return Path(target)
        return download(target, sha256=False if sha256 is False else None, home=home)

    path = download(uri, sha256=sha256, home=home)
    mapped = is_cached(path, home) if mmap is None else mmap
    access: Access = "map" if mapped else "lazy" if lazy else "read"
    content = read_path(
        path, map_location, weights_only=weights_only, access=access, get_shard=get_shard
    )
    if not resource.prefix:
        return content
    state_dict = select_state_dict(content, prefix=resource.prefix, source=os.fspath(uri))
    return {"state_dict": state_dict}
