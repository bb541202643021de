"""Saving a model as a checkpoint. Needs torch."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from brickwork_zoo._load._module_tree import unwrap
from brickwork_zoo._load._select_state_dict import state_dict_of
from brickwork_zoo.errors import InvalidInputError

from ._atomic_write import is_url, local_path, write_atomically
from ._get_state_dict import get_state_dict, weights_to_cpu
from ._write_safetensors import write_safetensors


def save_checkpoint(
    model: nn.Module,
    filename: str | os.PathLike[str],
    optimizer: Optimizer | Mapping[str, Optimizer] | None = None,
    meta: Mapping[str, Any] | None = None,
    file_client_args: Mapping[str, Any] | None = None,
) -> None:
    """Save a model atomically: readers see the old or the new file, also after a crash.

    For a sharded model (FSDP2, DTensor), call this on every rank. A file is written by rank 0,
    which gathers the full tensors one by one and needs memory for all of them. A folder
    (``.dcp``) has the format of ``torch.distributed.checkpoint``; each rank writes its shards. An
    error on rank 0 is raised on every rank.

    Args:
        model: The model. Names of wrappers such as DistributedDataParallel are left out of the
            keys.
        filename: A path, or a URL that fsspec can write to (``s3://``). The suffix
            ``.safetensors`` selects that format, which cannot contain an optimizer; ``.dcp``
            selects a folder, which must not exist and stores optimizer states by parameter name.
        optimizer: Optimizer or dict of optimizers, whose state is also saved.
        meta: Entry ``meta`` of the checkpoint. The time is added, and ``CLASSES`` if the model has
            this attribute.
        file_client_args: For compatibility with mmcv: None or ``dict(backend='disk')``.

    Raises:
        InvalidInputError: If a value cannot be saved in this format.
        CacheError: If the file cannot be written.
    """
    if file_client_args is not None and dict(file_client_args) != {"backend": "disk"}:
        raise InvalidInputError(
            "file_client_args must be None or {'backend': 'disk'}, got "
            f"{file_client_args!r}: pass a URL that fsspec writes to as filename"
        )
    if meta is not None and not isinstance(meta, Mapping):
        raise TypeError(f"meta must be a dict or None, got a {type(meta).__name__}")
    name = os.fspath(filename)
    if optimizer is not None and name.endswith(".safetensors"):
        raise InvalidInputError(
            f"cannot write {name}: a safetensors file holds no optimizer; use .pth"
        )
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
        checkpoint["optimizer"] = _states(optimizer, Optimizer.state_dict)
    if not any(hasattr(value, "device_mesh") for value in state_dict.values()):
        _write(name, checkpoint)
        return
    from brickwork_zoo._load._distributed import on_rank_0  # imports torch.distributed.tensor

    from ._save_sharded import gather

    full = gather(checkpoint)
    full["state_dict"] = state_dict_of(full["state_dict"].items(), state_dict._metadata)  # type: ignore[attr-defined]  # as torch does
    on_rank_0(lambda: _write(name, full))


def _states(
    optimizer: Optimizer | Mapping[str, Optimizer], state_of: Callable[[Optimizer], Any]
) -> Any:
    """Return the state of an optimizer, or of each optimizer in a dict."""
    if isinstance(optimizer, Optimizer):
        return state_of(optimizer)
    return {name: state_of(each) for name, each in optimizer.items()}


def _save_folder(
    name: str,
    checkpoint: dict[str, Any],
    model: nn.Module,
    optimizer: Optimizer | Mapping[str, Optimizer] | None,
) -> None:
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

    from ._save_sharded import save_folder  # slow to import, needed only for folders

    if is_url(name):
        raise InvalidInputError(
            f"cannot write {name}: a folder of shards is written to a path, not to a URL"
        )
    if optimizer is not None:
        checkpoint["optimizer"] = _states(
            optimizer, lambda each: get_optimizer_state_dict(model, each)
        )
    save_folder(local_path(name), checkpoint)


def _write(name: str, checkpoint: Mapping[str, Any]) -> None:
    """Write a file in the format of its suffix."""
    if name.endswith(".safetensors"):
        write_safetensors(checkpoint["state_dict"], name, meta=checkpoint["meta"])
    else:
        content = {**checkpoint, "state_dict": weights_to_cpu(checkpoint["state_dict"])}
        write_atomically(name, lambda path: torch.save(content, path))
