"""The checkpoint functions of `mmcv.runner`, on top of `brickwork_zoo`."""

import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeAlias, TypeVar, overload

import brickwork_zoo
from brickwork_zoo import get_state_dict as get_state_dict
from brickwork_zoo import load_checkpoint as load_checkpoint
from brickwork_zoo import load_state_dict as load_state_dict
from brickwork_zoo import save_checkpoint as save_checkpoint
from brickwork_zoo import weights_to_cpu as weights_to_cpu
from torch import nn

MapLocation: TypeAlias = Any  # as for torch.load
Loader: TypeAlias = Callable[..., Any]
L = TypeVar("L", bound=Loader)


def load_from_local(
    filename: str, map_location: MapLocation = None, *, weights_only: bool = True
) -> Any:
    """Read a checkpoint.

    Args:
        filename: A path or URI.
        map_location: Where its tensors go.
        weights_only: False runs whatever code the file holds.

    Returns:
        What the file holds.
    """
    return brickwork_zoo.read_checkpoint(filename, map_location, weights_only=weights_only)


def load_from_http(
    filename: str,
    map_location: MapLocation = None,
    model_dir: str | os.PathLike[str] | None = None,
    *,
    weights_only: bool = True,
) -> Any:
    """Download and read a checkpoint; in a process group one rank downloads.

    Args:
        filename: The URL.
        map_location: Where its tensors go.
        model_dir: Folder of the cache, instead of the default.
        weights_only: False runs whatever code the file holds.

    Returns:
        What the file holds.
    """
    return brickwork_zoo.read_checkpoint(
        filename, map_location, weights_only=weights_only, home=model_dir
    )


# mmcv has a function for each scheme; here one reads them all.
load_from_torchvision = load_from_openmmlab = load_from_mmcls = load_from_local


class CheckpointLoader:
    """Registry of the functions that read checkpoints, by the beginning of their URI.

    What is registered here also works in `load_checkpoint`, `load_model` and `Pretrained`.
    """

    _schemes: ClassVar[dict[str, Loader]] = {
        "": load_from_local,
        "http://": load_from_http,
        "https://": load_from_http,
        "modelzoo://": load_from_torchvision,
        "torchvision://": load_from_torchvision,
        "open-mmlab://": load_from_openmmlab,
        "openmmlab://": load_from_openmmlab,
        "mmcls://": load_from_mmcls,
    }

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
        """Register a function that reads checkpoints, as a call or as a decorator.

        To register only where files are, see `brickwork_zoo.register_scheme`.

        Args:
            prefixes: Regular expressions for the beginning of a URI, such as `"petrel://"`; the
                longest one that matches decides. `""` stands for paths.
            loader: `loader(filename, map_location)` returns the checkpoint; None to decorate.
            force: Replace what is registered.

        Returns:
            A decorator, without `loader`.

        Raises:
            KeyError: A prefix is registered already and `force` is not set.
        """
        if loader is None:

            def decorate(function: L) -> L:
                cls.register_scheme(prefixes, function, force)
                return function

            return decorate
        listed = [prefixes] if isinstance(prefixes, str) else list(prefixes)
        patterns = [prefix if _is_literal(prefix) else re.compile(prefix) for prefix in listed]
        brickwork_zoo.register_scheme(patterns, lambda _: loader, force=force)
        cls._schemes.update(dict.fromkeys(listed, loader))
        return None

    @classmethod
    def _get_checkpoint_loader(cls, path: str) -> Loader:
        matching = [prefix for prefix in cls._schemes if re.match(prefix, path)]
        return cls._schemes[max(matching, key=len)]

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
            map_location: Where its tensors go, as for `torch.load`.
            logger: Logs, at level INFO, what is read.
            weights_only: False runs whatever code the file holds.

        Returns:
            What the file holds.
        """
        target = logger if isinstance(logger, logging.Logger) else logging.getLogger(__name__)
        target.info("load checkpoint from %s", filename)
        return brickwork_zoo.read_checkpoint(filename, map_location, weights_only=weights_only)


def _is_literal(prefix: str) -> bool:
    return not re.search(r"[\\^$*+?{}\[\]|()]", prefix)


def _load_checkpoint(
    filename: str | os.PathLike[str],
    map_location: MapLocation = None,
    logger: logging.Logger | str | None = None,
) -> Any:
    """Read a checkpoint; see `CheckpointLoader.load_checkpoint`."""
    return CheckpointLoader.load_checkpoint(filename, map_location, logger)


def _load_checkpoint_with_prefix(
    prefix: str, filename: str | os.PathLike[str], map_location: MapLocation = None
) -> dict[str, Any]:
    """Read the state dict of a checkpoint below a prefix, which is removed from the keys."""
    checkpoint = CheckpointLoader.load_checkpoint(filename, map_location)
    return brickwork_zoo.select_state_dict(checkpoint, prefix=prefix, source=os.fspath(filename))


def _load_checkpoint_to_model(
    model: nn.Module,
    checkpoint: Mapping[str, Any],
    strict: bool = False,
    logger: logging.Logger | str | None = None,
    revise_keys: Any = ((r"^module\.", ""),),
) -> Mapping[str, Any]:
    """Load a checkpoint that has been read into a model, and return it (`mmengine`)."""
    load_checkpoint(model, checkpoint, strict=strict, logger=logger, revise_keys=revise_keys)
    return checkpoint


def get_torchvision_models() -> dict[str, str]:
    """Return the names after `torchvision://` and their URLs."""
    return _urls("torchvision", with_aliases=True)


def get_external_models() -> dict[str, str]:
    """Return the names after `open-mmlab://` and their URLs, with those that the user added."""
    return _urls("open-mmlab")


def get_mmcls_models() -> dict[str, str]:
    """Return the names after `mmcls://` and their URLs."""
    return _urls("mmcls")


def get_deprecated_model_names() -> dict[str, str]:
    """Return the old names after `open-mmlab://` and the names that replaced them."""
    return {
        alias: model.name
        for model in brickwork_zoo.list_models(source="open-mmlab")
        for alias in model.aliases
    }


def _urls(source: str, *, with_aliases: bool = False) -> dict[str, str]:
    urls: dict[str, str] = {}
    for model in brickwork_zoo.list_models(source=source):
        for name in (model.name, *(model.aliases if with_aliases else ())):
            urls[name] = model.urls[0]
    return dict(sorted(urls.items()))
