"""`CheckpointLoader`: which function reads which kind of URI. Needs torch."""

from __future__ import annotations

import logging
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar, overload

from brickwork_zoo._fetch._download import download
from brickwork_zoo._find._resolve import resolve, sibling
from brickwork_zoo._find._url import normalize_case
from brickwork_zoo._formats._file_tensors import MapLocation
from brickwork_zoo._formats._lazy_tensor import read_all
from brickwork_zoo._formats._read_path import read_path
from brickwork_zoo.errors import TakenSchemeError

from ._revise_keys import under_prefix

Loader = Callable[..., Any]
L = TypeVar("L", bound=Loader)


class CheckpointLoader:
    """Reads checkpoints by the beginning of their URI; further loaders can be registered."""

    _schemes: ClassVar[dict[str, Loader]] = {}

    @overload
    @classmethod
    def register_scheme(
        cls, prefixes: str | Iterable[str], loader: None = None, force: bool = False
    ) -> Callable[[L], L]: ...

    @overload
    @classmethod
    def register_scheme(
        cls, prefixes: str | Iterable[str], loader: Loader, force: bool = False
    ) -> None: ...

    @classmethod
    def register_scheme(
        cls, prefixes: str | Iterable[str], loader: Loader | None = None, force: bool = False
    ) -> Any:
        """Register a loader, as a call or as a decorator.

        To teach the zoo only where files are, and leave reading to it, see
        :func:`brickwork_zoo.register_scheme`.

        Args:
            prefixes: Regular expressions that the beginning of a URI matches, such as
                ``"petrel://"``; the longest that matches decides.
            loader: ``loader(filename, map_location)`` returns the checkpoint; None to decorate.
            force: Replace what is registered.

        Returns:
            A decorator, without ``loader``.

        Raises:
            TakenSchemeError: A prefix is registered already and ``force`` is not set.
        """
        if loader is None:
            return lambda function: (cls.register_scheme(prefixes, function, force), function)[1]
        wanted = [prefixes] if isinstance(prefixes, str) else list(prefixes)
        taken = [prefix for prefix in wanted if prefix in cls._schemes]
        if taken and not force:
            raise TakenSchemeError(
                f"{taken[0]!r} has a loader already: {cls._schemes[taken[0]].__name__}; "
                "force=True replaces it"
            )
        cls._schemes.update(dict.fromkeys(wanted, loader))
        return None

    @classmethod
    def _get_checkpoint_loader(cls, path: str) -> Loader:
        uri = normalize_case(path)  # a scheme may be written in any case
        fitting = [prefix for prefix in cls._schemes if re.match(prefix, uri)]
        return cls._schemes[max(fitting, key=len)]

    @classmethod
    def load_checkpoint(
        cls,
        filename: str | os.PathLike[str],
        map_location: MapLocation = None,
        logger: logging.Logger | str | None = None,
        *,
        weights_only: bool = True,
    ) -> Any:
        """Read a checkpoint.

        Args:
            filename: A path or URI.
            map_location: Where its tensors go, as for :func:`torch.load`.
            logger: Is told, at level INFO, what is read.
            weights_only: False runs whatever code the file holds.

        Returns:
            What the file holds.
        """
        return read_all(read_checkpoint(filename, map_location, logger, weights_only=weights_only))


def read_checkpoint(
    filename: str | os.PathLike[str],
    map_location: MapLocation = None,
    logger: logging.Logger | str | None = None,
    *,
    weights_only: bool = True,
) -> Any:
    """Read a checkpoint, but leave what is in a folder of shards there until it is used.

    As :meth:`CheckpointLoader.load_checkpoint`.
    """
    name = os.fspath(filename)
    loader = CheckpointLoader._get_checkpoint_loader(name)
    target = logger if isinstance(logger, logging.Logger) else logging.getLogger("brickwork_zoo")
    target.info("load checkpoint from %s", name)
    if loader in _OWN:
        return loader(name, map_location, weights_only=weights_only)
    return loader(name, map_location)


def _load(filename: str, map_location: MapLocation, weights_only: bool, **options: Any) -> Any:
    """Any URI or path that the zoo resolves."""
    resource = resolve(filename)
    path = resource.path or download(filename, **options)

    def shard(name: str) -> Path:
        beside = sibling(resource, name)
        return Path(beside) if resource.path is not None else download(beside, **options)

    checkpoint = read_path(path, map_location, weights_only=weights_only, sibling=shard)
    return _below_prefix(checkpoint, resource.prefix) if resource.prefix else checkpoint


@CheckpointLoader.register_scheme("")
def load_from_local(
    filename: str, map_location: MapLocation = None, *, weights_only: bool = True
) -> Any:
    """Read a local file or folder, or a URI that has no loader of its own.

    Args:
        filename: A path, ``~`` included, or a URI.
        map_location: Where its tensors go.
        weights_only: False runs whatever code the file holds.

    Returns:
        What the file holds.
    """
    return _load(filename, map_location, weights_only)


@CheckpointLoader.register_scheme(("http://", "https://"))
def load_from_http(
    filename: str,
    map_location: MapLocation = None,
    model_dir: str | os.PathLike[str] | None = None,
    *,
    weights_only: bool = True,
) -> Any:
    """Fetch and read a file; every rank may call it, one of them downloads.

    Args:
        filename: The URL.
        map_location: Where its tensors go.
        model_dir: The folder of the cache, instead of the default.
        weights_only: False runs whatever code the file holds.

    Returns:
        What the file holds.
    """
    return _load(filename, map_location, weights_only, home=model_dir)


@CheckpointLoader.register_scheme(("torchvision://", "modelzoo://"))
def load_from_torchvision(
    filename: str, map_location: MapLocation = None, *, weights_only: bool = True
) -> Any:
    """Fetch and read weights that torchvision lists; as :func:`load_from_local`."""
    return _load(filename, map_location, weights_only)


@CheckpointLoader.register_scheme(("open-mmlab://", "openmmlab://"))
def load_from_openmmlab(
    filename: str, map_location: MapLocation = None, *, weights_only: bool = True
) -> Any:
    """Fetch and read weights that OpenMMLab lists; as :func:`load_from_local`."""
    return _load(filename, map_location, weights_only)


@CheckpointLoader.register_scheme("mmcls://")
def load_from_mmcls(
    filename: str, map_location: MapLocation = None, *, weights_only: bool = True
) -> Any:
    """Fetch and read the backbone of a classifier; as :func:`load_from_local`."""
    return _load(filename, map_location, weights_only)


_OWN = {
    load_from_local,
    load_from_http,
    load_from_torchvision,
    load_from_openmmlab,
    load_from_mmcls,
}


def _below_prefix(checkpoint: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return only the entries below a prefix, such as the backbone of a classifier."""
    state_dict = checkpoint.get("state_dict", checkpoint)
    return {
        "state_dict": OrderedDict(
            (new, state_dict[old]) for new, old in under_prefix(state_dict, prefix).items()
        )
    }
