"""Building a model with the weights of a checkpoint. Needs torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar, Unpack

import torch
from brickwork_init import deferred, finalize, initialization_session
from torch import Tensor, nn

from brickwork_zoo._formats._map_location import MapLocation
from brickwork_zoo._redact import redact_credentials

from ._adapters import Adapter, bind_adapter
from ._load_checkpoint import log_reading
from ._load_options import LoadOptions, Logger, split_options
from ._load_state_dict import load_selection
from ._read_checkpoint import open_checkpoint
from ._revise_keys import STRIP_MODULE, ReviseKeys
from ._select_state_dict import select

M = TypeVar("M", bound=nn.Module)


def load_model(
    build: Callable[[], M],
    filename: str | os.PathLike[str],
    map_location: MapLocation = "cpu",
    *,
    strict: bool = False,
    logger: Logger = None,
    revise_keys: ReviseKeys = STRIP_MODULE,
    **options: Unpack[LoadOptions],
) -> M:
    """Build a model and load the weights of a checkpoint into it.

    Building skips the default initialization. The tensors are read directly into the memory of the
    model, in the model's dtype. Those of a file in the zoo's cache, or with ``mmap=True``, are
    mapped copy-on-write and read on first use. Parameters and buffers that the checkpoint lacks are
    initialized by the model's ``init_weights``, or by the ``reset_parameters`` of its modules.

    Args:
        build: Builds the model, for example ``lambda: create_model('resnet50')``.
        filename: A path or URI, see :func:`load_checkpoint`.
        map_location: Devices of the loaded tensors, as for :func:`torch.load`.
        strict: Raise if a key is missing or unexpected, or a shape differs.
        logger: See :func:`load_state_dict`.
        revise_keys: Rules that rename the checkpoint's keys, see :func:`load_checkpoint`.
        **options: See :class:`LoadOptions`; ``on_mismatch`` is ``"error"`` by default.

    Returns:
        The model, in training mode as it was built.

    Raises:
        CheckpointError: If the file is damaged or not a checkpoint.
        UnsafeCheckpointError: If loading the file would run code.
        MismatchError: If the checkpoint does not fit the model.
        brickwork_init.errors.UninitializedError: If a parameter or buffer is neither in the
            checkpoint nor initialized.
    """
    reading, selecting, loading = split_options("load_model", options)
    if isinstance(build, nn.Module):
        raise TypeError(
            f"build must be a function that returns a model, got a {type(build).__name__}: pass "
            f"lambda: {type(build).__name__}(...), or load into this model with "
            "load_checkpoint(model, filename)"
        )
    uri = os.fspath(filename)
    source = redact_credentials(uri)
    log_reading(logger, source)
    checkpoint = open_checkpoint(uri, map_location, lazy=True, **reading)
    selection = select(checkpoint, source, revise_keys=revise_keys, **selecting)
    del checkpoint  # frees the other entries, such as the state of an optimizer
    loading.setdefault("on_mismatch", "error")
    with deferred():
        model = build()
    loading["adapters"] = [
        _without_values(bind_adapter(adapter, model)) for adapter in loading.get("adapters", ())
    ]
    # The session begins at a parent of the model, so that a Pretrained in the model's own init_cfg
    # does not overwrite the loaded values.
    with initialization_session(nn.Sequential(model)) as session:
        load_selection(model, selection, strict, logger, reuse="always", **loading)
        init_weights = getattr(model, "init_weights", None)
        if callable(init_weights) and not session.is_covered(model):
            session.call(model, init_weights)
    finalize(model, reset_parameters=True)
    return model


def _without_values(adapter: Adapter) -> Adapter:
    """Return an adapter that gets the model's tensors as meta tensors: they have no values yet."""

    def adapt(name: str, source: Tensor, target: Tensor) -> Tensor | None:
        return adapter(name, source, torch.empty(target.shape, dtype=target.dtype, device="meta"))

    return adapt
