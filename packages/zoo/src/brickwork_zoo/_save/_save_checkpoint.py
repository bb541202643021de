"""Saving checkpoints whole or not at all. Needs torch."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from brickwork_zoo._load._module_tree import unwrap
from brickwork_zoo._load._select_state_dict import state_dict_of
from brickwork_zoo.errors import InvalidInputError

from ._atomic_write import is_url, local_path, write
from ._get_state_dict import get_state_dict, weights_to_cpu


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
    from brickwork_zoo._load._distributed import (
        on_rank_0,  # costs the import of torch.distributed.tensor
    )

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

    if is_url(name):
        raise InvalidInputError(f"{name}: a folder of shards is written to a path, not to a URL")
    if optimizer is not None:
        checkpoint["optimizer"] = _each(optimizer, lambda one: get_optimizer_state_dict(model, one))
    save_folder(local_path(name), checkpoint)


def _write(name: str, checkpoint: Mapping[str, Any]) -> None:
    """Write a file in the format that its name asks for."""
    state_dict = weights_to_cpu(checkpoint["state_dict"])
    if name.endswith(".safetensors"):
        text = {key: str(value) for key, value in checkpoint["meta"].items()}
        write_safetensors(state_dict, name, text)
    else:
        content = {**checkpoint, "state_dict": state_dict}
        write(name, lambda path: torch.save(content, path))


def write_safetensors(
    state_dict: Mapping[str, Any], target: str, metadata: Mapping[str, str]
) -> None:
    """Write tensors; those that share memory are written as often as they have names.

    Args:
        state_dict: Key -> tensor.
        target: A path or a URL of fsspec's.
        metadata: Goes into the header.

    Raises:
        InvalidInputError: Something is no dense tensor, or too large where it is written out.
        CacheError: It cannot be written.
    """
    from safetensors.torch import save_file  # only this format needs it

    odd = [
        k for k, v in state_dict.items() if not isinstance(v, Tensor) or v.layout != torch.strided
    ]
    if odd:
        raise InvalidInputError(f"{target}: safetensors cannot hold {odd[:5]}; use .pth")
    tensors: dict[str, Tensor] = {}
    seen: set[int] = set()
    for key, tensor in state_dict.items():
        address = tensor.untyped_storage().data_ptr()
        try:
            whole = tensor.detach().contiguous()
            tensors[key] = whole.clone() if address in seen and whole.numel() else whole
        except RuntimeError as error:  # a number that is expanded to more than there is memory for
            raise InvalidInputError(f"{target}: cannot write out {key!r}: {error}") from error
        seen.add(address)
    write(target, lambda path: save_file(tensors, path, metadata={"format": "pt", **metadata}))
