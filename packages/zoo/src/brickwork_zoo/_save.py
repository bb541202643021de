"""Saving checkpoints whole or not at all. Needs torch."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ._names import canonical
from ._select import state_dict_of
from ._state import get_state_dict, weights_to_cpu
from ._tree import unwrap
from .errors import CacheError, InvalidInputError, MissingDependencyError


def save_checkpoint(
    model: nn.Module,
    filename: str | os.PathLike[str],
    optimizer: Optimizer | Mapping[str, Optimizer] | None = None,
    meta: Mapping[str, Any] | None = None,
    file_client_args: Mapping[str, Any] | None = None,
) -> None:
    """Save a model; whoever reads the file meanwhile, or after a crash, finds the old or the new.

    A model that several processes hold (FSDP2, DTensor) is saved by all of them together: call
    this on every rank. Into a file, tensor by tensor through rank 0, which needs the memory for
    the whole; into a folder, to which each writes its shards, in the form of
    ``torch.distributed.checkpoint``. An error on rank 0 is raised on every rank.

    Args:
        model: The model; wrappers such as DistributedDataParallel do not show in the keys.
        filename: A path, or a URL that fsspec writes to (``s3://``). What ends in
            ``.safetensors`` becomes that, and holds no optimizer. What ends in ``.dcp`` becomes a
            folder, which must not be there yet; it keeps an optimizer's state by the names of the
            parameters.
        optimizer: Its state is saved, too; or several by name.
        meta: Goes into the checkpoint under ``meta``, with the time and, where the model has
            ``CLASSES``, these; in a safetensors file as text.
        file_client_args: Of mmcv: ``dict(backend='disk')`` or None; a URL says the rest.

    Raises:
        InvalidInputError: Something cannot be saved in this format.
        CacheError: It cannot be written.
    """
    if file_client_args is not None and dict(file_client_args) != {"backend": "disk"}:
        raise InvalidInputError(
            f"file_client_args={file_client_args!r} is not used: give a URL that fsspec writes to"
        )
    if meta is not None and not isinstance(meta, Mapping):
        raise TypeError(f"meta must be a dict or None, not {type(meta).__name__}")
    name = os.fspath(filename)
    if optimizer is not None and name.endswith(".safetensors"):
        raise InvalidInputError(f"{name}: a safetensors file holds no optimizer; use .pth")
    model = unwrap(model)
    facts = {**(meta or {}), "time": time.asctime()}
    if getattr(model, "CLASSES", None) is not None:
        facts["CLASSES"] = model.CLASSES
    state_dict = get_state_dict(model)
    checkpoint: dict[str, Any] = {"meta": facts, "state_dict": state_dict}
    if name.endswith(".dcp"):
        _save_folder(name, checkpoint, model, optimizer)
        return
    if optimizer is not None:
        checkpoint["optimizer"] = _each(optimizer, lambda one: one.state_dict())
    if not any(hasattr(value, "device_mesh") for value in state_dict.values()):
        _write(name, checkpoint)
        return
    from ._distributed import on_rank_0  # costs the import of torch.distributed.tensor
    from ._save_sharded import gather

    whole = gather(checkpoint)
    whole["state_dict"] = state_dict_of(whole["state_dict"].items(), state_dict._metadata)  # type: ignore[attr-defined]  # torch's own way
    on_rank_0(lambda: _write(name, whole))


def _each(
    optimizer: Optimizer | Mapping[str, Optimizer], state_of: Callable[[Optimizer], Any]
) -> Any:
    """The state of an optimizer, or of several by name."""
    if isinstance(optimizer, Optimizer):
        return state_of(optimizer)
    return {key: state_of(one) for key, one in optimizer.items()}


def _save_folder(
    name: str,
    checkpoint: dict[str, Any],
    model: nn.Module,
    optimizer: Optimizer | Mapping[str, Optimizer] | None,
) -> None:
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

    from ._save_sharded import save_folder  # all that only folders need

    if _is_remote(name):
        raise InvalidInputError(f"{name}: a folder of shards is written to a path, not to a URL")
    if optimizer is not None:
        checkpoint["optimizer"] = _each(optimizer, lambda one: get_optimizer_state_dict(model, one))
    save_folder(_local(name), checkpoint)


def _write(name: str, checkpoint: Mapping[str, Any]) -> None:
    """Write a file in the format that its name asks for."""
    state_dict = weights_to_cpu(checkpoint["state_dict"])
    if name.endswith(".safetensors"):
        text = {key: str(value) for key, value in checkpoint["meta"].items()}
        write(name, lambda path: write_safetensors(state_dict, path, text))
    else:
        content = {**checkpoint, "state_dict": state_dict}
        write(name, lambda path: torch.save(content, path))


def write_safetensors(
    state_dict: Mapping[str, Any], path: Path, metadata: Mapping[str, str]
) -> None:
    """Write tensors; those that share memory are written as often as they have names.

    Args:
        state_dict: Key -> tensor.
        path: The file.
        metadata: Goes into the header.

    Raises:
        InvalidInputError: Something is no dense tensor.
    """
    from safetensors.torch import save_file  # only this format needs it

    odd = [
        k for k, v in state_dict.items() if not isinstance(v, Tensor) or v.layout != torch.strided
    ]
    if odd:
        raise InvalidInputError(f"{path}: safetensors cannot hold {odd[:5]}; use .pth")
    tensors: dict[str, Tensor] = {}
    seen: set[int] = set()
    for key, tensor in state_dict.items():
        address = tensor.untyped_storage().data_ptr()
        whole = tensor.detach().contiguous()
        tensors[key] = whole.clone() if address in seen and whole.numel() else whole
        seen.add(address)
    save_file(tensors, path, metadata={"format": "pt", **metadata})


def write(target: str, make: Callable[[Path], object]) -> None:
    """Let a file be made under another name, then move it into place.

    Args:
        target: A path or a URL of fsspec's.
        make: Writes the file.

    Raises:
        CacheError: It cannot be written.
    """
    if _is_remote(target):
        _upload(target, make)
        return
    path = _local(target)
    partial = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        make(partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())  # else a crash of the machine may leave an empty file
        partial.replace(path)
    except OSError as error:
        raise CacheError(f"cannot write {path}: {error}", uri=target, path=path) from error
    finally:
        with suppress(OSError):  # of the folder itself, which the first error names
            partial.unlink(missing_ok=True)


def _is_remote(target: str) -> bool:
    return "://" in target and not canonical(target).startswith("file://")


def _local(target: str) -> Path:
    return Path(canonical(target).removeprefix("file://")).expanduser()


def _upload(target: str, make: Callable[[Path], object]) -> None:
    from tempfile import TemporaryDirectory  # with fsspec, what only a URL needs

    try:
        import fsspec  # type: ignore[import-untyped]  # it has no types
    except ImportError as error:
        raise MissingDependencyError(
            f"cannot write {target} without fsspec: pip install brickwork-zoo[fsspec]",
            uri=target,
            package="fsspec",
        ) from error
    with TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint"
        make(path)
        try:
            system, place = fsspec.core.url_to_fs(canonical(target))
            system.put_file(str(path), place)
        except (OSError, ValueError) as error:
            raise CacheError(f"cannot write {target}: {error}", uri=target) from error
