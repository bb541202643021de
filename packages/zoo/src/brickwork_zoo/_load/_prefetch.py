"""A bundle to carry to a machine without a network."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from brickwork_zoo._fetch._cache import Cache
from brickwork_zoo._fetch._download import download
from brickwork_zoo._fetch._progress import ProgressCallback
from brickwork_zoo._find._resolve import resolve, sibling
from brickwork_zoo._formats._shard_index import read_index
from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import CacheError, InvalidInputError, ZooError

_INDEX = ".index.json"  # what the names of indices of shards end with
_PACKED = (".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip")
_README = """\
Weights for machines without a network, fetched and verified by brickwork-zoo.

Either use this folder as it is:    export BRICKWORK_HOME=<this folder> BRICKWORK_OFFLINE=1
or add it to a cache there is:      cp -r checkpoints "$BRICKWORK_HOME"/

`sha256sum --check SHA256SUMS` tells whether everything arrived.

It holds:
"""


def prefetch(
    uris: Sequence[str],
    target: str | os.PathLike[str],
    *,
    progress: bool | ProgressCallback | None = None,
) -> list[Path]:
    """Put files into a folder, or a tar archive, that is a zoo's home by itself.

    What the cache of this machine has is copied, the rest is fetched. With the index of a sharded
    checkpoint come its shards.

    Args:
        uris: What to fetch; none of it a local path.
        target: The folder; an archive if it ends with ``.tar``.
        progress: As for :func:`download`.

    Returns:
        The files' paths within the bundle.

    Raises:
        ZooError: If one of them cannot be had; see :func:`download`.
    """
    bundle = Path(target).expanduser().absolute()
    if bundle.suffix in _PACKED:
        raise InvalidInputError(f"{bundle}: weights do not grow smaller when packed; write a .tar")
    for uri in uris:  # before the first of them is fetched
        if resolve(uri).local:
            raise InvalidInputError(f"{uri} is a file of this machine: copy it as it is", uri=uri)
    try:
        if bundle.suffix != ".tar":
            return _fill(uris, bundle, progress)
        bundle.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=bundle.parent) as made:
            files = _fill(uris, Path(made), progress)
            partial = Path(made) / bundle.name
            with tarfile.open(partial, "w") as archive:
                for file in sorted(Path(made).rglob("*")):
                    if file != partial and file.is_file():
                        archive.add(file, Path(bundle.stem) / file.relative_to(made))
            partial.replace(bundle)
            return [file.relative_to(made) for file in files]
    except OSError as error:
        if isinstance(error, ZooError):
            raise
        raise CacheError(f"cannot write {bundle}: {error}", path=bundle) from error


def _fill(uris: Sequence[str], home: Path, progress: bool | ProgressCallback | None) -> list[Path]:
    here, there = Cache(Settings.read().home), Cache(home)
    there.root.mkdir(parents=True, exist_ok=True)
    _describe(there, home)  # at once: it tells whether the folder can be written
    files: list[Path] = []
    wanted = list(uris)
    for uri in wanted:  # which grows by the shards of an index
        resource = resolve(uri)
        entry = there.entry(resource)
        found = here.find(resource)
        if found is not None and not entry.files():  # a bundle cannot do with another's file
            entry.folder.mkdir(parents=True, exist_ok=True)
            partial = entry.folder / f".{entry.filename}.copy"
            shutil.copyfile(found, partial)
            partial.replace(entry.target)
        path = download(uri, progress=progress, home=home)
        files.append(path)
        if path.name.endswith(_INDEX):
            wanted += [sibling(resource, name) for name in sorted(read_index(path))]
    _describe(there, home)
    return files


def _describe(cache: Cache, home: Path) -> None:
    """Say in a bundle what it holds, from earlier calls as well."""
    held = [(entry, record) for entry in cache.entries() if (record := entry.record())]
    sums = (f"{r.sha256}  {e.target.relative_to(home).as_posix()}\n" for e, r in held)
    (home / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    listing = "".join(f"  {record.uri}\n" for _, record in held)
    (home / "README.txt").write_text(_README + listing, encoding="utf-8")
