"""Loading a checkpoint from a path or URI into a model. Needs torch."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any, Unpack

from torch import nn

from brickwork_zoo._formats._lazy_tensor import without_weights
from brickwork_zoo._formats._map_location import MapLocation
from brickwork_zoo._redact import redact_credentials

from ._apply_plan import Reuse
from ._load_options import LoadOptions, Logger, split_options
from ._load_state_dict import load_selection
from ._module_tree import is_sharded
from ._read_checkpoint import open_checkpoint
from ._revise_keys import STRIP_MODULE, ReviseKeys
from ._select_state_dict import select


def load_checkpoint(
    model: nn.Module,
    filename: str | os.PathLike[str] | Mapping[str, Any],
    map_location: MapLocation = "cpu",
    strict: bool = False,
    logger: Logger = None,
    revise_keys: ReviseKeys = STRIP_MODULE,
    *,
    broadcast: bool = False,
    return_weights: bool = True,
    **options: Unpack[LoadOptions],
) -> Any:
    r"""Load a checkpoint into a model.

    Everything is checked before the model is changed. For a sharded model (FSDP2, DTensor) each
    process reads only its shards.

    Args:
        model: The model.
        filename: A path, a folder with a sharded checkpoint, a URI such as ``https://...``,
            ``torchvision://resnet50`` or ``hf://owner/repo/file``, or a checkpoint that
            :func:`read_checkpoint` returned.
        map_location: Devices of the returned tensors, as for :func:`torch.load`; None for the
            devices that they were saved on.
        strict: Raise if a key is missing or unexpected, or a shape differs.
        logger: See :func:`load_state_dict`.
        revise_keys: Rules that rename the checkpoint's keys: pairs ``(regular expression,
            replacement)``, callables ``key -> key``, or one such callable.
        broadcast: In a process group: read on rank 0 only and send the tensors to the other ranks,
            which return a checkpoint with tensors on the meta device. By default every rank reads
            its part of the file.
        return_weights: False reads the file directly into the memory of the model, so that loading
            needs no further memory; the weights of the returned checkpoint are on the meta device.
        **options: See :class:`LoadOptions`.

    Returns:
        The checkpoint, which shares no memory with the model. Its tensors are lazy (read on use)
        if the model is sharded or the file is a folder of ``torch.distributed.checkpoint``.

    Raises:
        CheckpointError: If the file is damaged or not a checkpoint.
        UnsafeCheckpointError: If loading the file would run code.
        MismatchError: If the checkpoint does not fit the model.
    """
    reading, selecting, loading = split_options("load_checkpoint", options)
    if isinstance(filename, Mapping):
        source, checkpoint = "the checkpoint", filename
    else:
        uri = os.fspath(filename)
        source = redact_credentials(uri)
        log_reading(logger, source)
        # Lazy tensors: a rank with a sharded model needs memory only for its shards.
        lazy = not return_weights or is_sharded(model)

        def read() -> Any:
            return open_checkpoint(uri, map_location, lazy=lazy, **reading)

        if broadcast:
            from ._distributed import on_rank_0  # costs an import that one process does not need

            checkpoint = on_rank_0(read)
        else:
            checkpoint = read()
    selection = select(checkpoint, source, revise_keys=revise_keys, **selecting)
    reuse: Reuse = "never" if return_weights else "without memory"
    load_selection(model, selection, strict, logger, reuse=reuse, broadcast=broadcast, **loading)
    if return_weights or isinstance(filename, Mapping):
        return checkpoint
    return without_weights(checkpoint, selection.state_dict.values())


def log_reading(logger: Logger, source: str) -> None:
    """Log which file is read, at level INFO."""
    target = logger if isinstance(logger, logging.Logger) else logging.getLogger("brickwork_zoo")
    target.info("load checkpoint from %s", source)
