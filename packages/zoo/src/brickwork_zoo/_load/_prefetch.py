"""`prefetch`: a bundle of files for a machine without a network."""

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
from brickwork_zoo._find._file_hash import FROM_EARLIER_CALL
from brickwork_zoo._find._resolve import resolve, sibling
from brickwork_zoo._formats._shard_index import read_index
from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import CacheError, InvalidInputError, ZooError

_INDEX = ".index.json"  # suffix of the index of a sharded checkpoint
_COMPRESSED = (".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip")
_README = """\
Weights for machines without a network, downloaded and verified by brickwork-zoo.

Either use this folder as it is:    export BRICKWORK_HOME=<this folder> BRICKWORK_OFFLINE=1
or add it to an existing cache:     cp -r checkpoints "$BRICKWORK_HOME"/

`sha256sum --check SHA256SUMS` checks that all files arrived intact.

Contents:
"""


def prefetch(
    uris: Sequence[str],
    target: str | os.PathLike[str],
    *,
    progress: bool | ProgressCallback | None = None,
) -> list[Path]:
    """Collect files in a folder or tar archive that another machine can use as the zoo's home.

    Files in the cache of this machine are copied, the others downloaded. The index of a sharded
    checkpoint brings its shards.

    Args:
        uris: URIs of the files; local paths are not allowed.
        target: Path of the folder, or of the archive if it ends in ``.tar``.
        progress: As for :func:`download`.

    Returns:
        The paths of the files within the bundle.

    Raises:
        ZooError: If a file cannot be downloaded; see :func:`download`.
    """
    bundle = Path(target).expanduser().absolute()
    if bundle.suffix in _COMPRESSED:
        raise InvalidInputError(
            f"target must be a folder or end in .tar, got {bundle}; weights do not compress"
        )
    for uri in uris:  # before the first download
        if resolve(uri).path is not None:
            raise InvalidInputError(
                f"cannot prefetch {uri}: it is a local file; copy it instead", uri=uri
            )
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
    _write_contents(there, home)  # at once: it shows whether the folder is writable
    files: list[Path] = []
    wanted = list(uris)
    for uri in wanted:  # grows by the shards of an index
        resource = here.with_stated_hash(resolve(uri))
        stated_hash = resource.sha256 if resource.sha256_source == FROM_EARLIER_CALL else None
        entry = there.entry(resource)
        cached = here.find(resource)
        if cached is not None and not entry.files():  # a bundle needs the file in its own entry
            entry.folder.mkdir(parents=True, exist_ok=True)
            partial = entry.folder / f".{entry.filename}.copy"
            shutil.copyfile(cached, partial)
            partial.replace(entry.target)
        path = download(uri, sha256=stated_hash, progress=progress, home=home)
        files.append(path)
        if path.name.endswith(_INDEX):
            wanted += [sibling(resource, name) for name in sorted(read_index(path))]
    _write_contents(there, home)
    return files


def _write_contents(cache: Cache, home: Path) -> None:
    """Write the hashes and the list of all files in the bundle, those of earlier calls too."""
    files = [(e.target.relative_to(home), r) for e in cache.entries() if (r := e.record())]
    sums = "".join(f"{record.sha256}  {path.as_posix()}\n" for path, record in files)
    (home / "SHA256SUMS").write_text(sums, encoding="utf-8")
    listing = "".join(f"  {record.uri}\n" for _, record in files)
    (home / "README.txt").write_text(_README + listing, encoding="utf-8")
