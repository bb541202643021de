"""From a file or URI to a checkpoint, and from a checkpoint into a model. Needs torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from brickwork_init import deferred, is_loaded, running
from torch import Tensor, nn

from brickwork_zoo._formats._file_tensors import MapLocation

from ._adapters import Adapter
from ._checkpoint_loader import read_checkpoint
from ._load_state_dict import Logger, OnMismatch, load_state_dict
from ._revise_keys import STRIP_MODULE, ReviseKeys
from ._select_state_dict import select

M = TypeVar("M", bound=nn.Module)


def load_checkpoint(
    model: nn.Module,
    filename: str | os.PathLike[str],
    map_location: MapLocation = "cpu",
    strict: bool = False,
    logger: Logger = None,
    revise_keys: ReviseKeys = STRIP_MODULE,
    *,
    prefix: str | None = None,
    entry: str | None = None,
    on_mismatch: OnMismatch = "skip",
    adapters: Sequence[Adapter] = (),
    allow_empty: bool = False,
    weights_only: bool = True,
    broadcast: bool = False,
) -> Any:
    r"""Load a checkpoint from a file or URI into a model.

    The file is mapped and its tensors are copied once, into the model. Everything is checked
    before anything is copied. A model that several processes hold (FSDP2, DTensor) gets in each
    process only its shards; of a folder of ``torch.distributed.checkpoint``, only they are read.

    Args:
        model: The model.
        filename: A path, a folder with a sharded checkpoint, or a URI such as
            ``https://...``, ``torchvision://resnet50`` or ``hf://owner/repo/file``.
        map_location: Where the tensors go first, as for :func:`torch.load`; ``None`` is where they
            were when they were saved.
        strict: Raise when anything is missing, unexpected or of another shape.
        logger: See :func:`load_state_dict`.
        revise_keys: Rewrites the checkpoint's keys: pairs ``(regular expression, replacement)``,
            callables ``key -> key``, or one such callable.
        prefix: Load only what lies below this name in the checkpoint (before ``revise_keys``).
        entry: The key under which the checkpoint keeps its state dict, where that is not
            ``state_dict`` and there are several to choose from, for example ``"model_ema"``.
        on_mismatch: ``"skip"`` or ``"error"`` for tensors of another shape.
        adapters: Make tensors fit, see :func:`load_state_dict`.
        allow_empty: Accept that nothing at all is loaded.
        weights_only: ``False`` runs whatever code the file holds; only for files that you trust
            as you trust a program.
        broadcast: In a process group: only rank 0 reads, and sends to the others, which then
            return the checkpoint's shapes alone. By default every rank maps the same file, which
            costs a machine its memory once.

    Returns:
        The checkpoint: what the file holds, with more than the weights if it has more. Of a
        folder of ``torch.distributed.checkpoint`` its tensors, each read when it is used.

    Raises:
        CheckpointError: The file is broken or no checkpoint.
        UnsafeCheckpointError: It would run code.
        MismatchError: It does not fit the model.
    """
    source = os.fspath(filename)
    if broadcast:
        from ._distributed import on_rank_0  # costs an import that one process does not need

        checkpoint = on_rank_0(
            lambda: read_checkpoint(source, map_location, logger, weights_only=weights_only)
        )
    else:
        checkpoint = read_checkpoint(source, map_location, logger, weights_only=weights_only)
    state_dict, keys = select(
        checkpoint, source, prefix=prefix, entry=entry, revise_keys=revise_keys
    )
    load_state_dict(
        model,
        state_dict,
        strict,
        logger,
        source=source,
        keys=keys,
        on_mismatch=on_mismatch,
        adapters=adapters,
        allow_empty=allow_empty,
        broadcast=broadcast,
    )
    return checkpoint


def load_model(
    build: Callable[[], M],
    filename: str | os.PathLike[str],
    map_location: MapLocation = "cpu",
    *,
    strict: bool = False,
    logger: Logger = None,
    revise_keys: ReviseKeys = STRIP_MODULE,
    prefix: str | None = None,
    entry: str | None = None,
    on_mismatch: OnMismatch = "error",
    adapters: Sequence[Adapter] = (),
    allow_empty: bool = False,
    weights_only: bool = True,
) -> M:
    """Build a model and give it the weights of a checkpoint, at the cost of mapping the file.

    No default value is drawn or written, and no tensor copied: the model's tensors are the file's,
    mapped copy-on-write, in the dtype that the model asks for. What the checkpoint does not cover
    is initialised by the model's ``init_weights``, or as its modules do by default.

    Args:
        build: Makes the model, for example ``lambda: create_model('resnet50')``.
        filename: A path or URI.
        map_location: Where the tensors go first.
        strict: Raise when anything is missing, unexpected or of another shape.
        logger: See :func:`load_state_dict`.
        revise_keys: Rewrites the checkpoint's keys, see :func:`load_checkpoint`.
        prefix: Load only what lies below this name in the checkpoint.
        entry: The key under which the checkpoint keeps its state dict.
        on_mismatch: ``"error"`` or ``"skip"`` for tensors of another shape.
        adapters: Make tensors fit, see :func:`load_state_dict`.
        allow_empty: Accept that nothing at all is loaded.
        weights_only: ``False`` runs whatever code the file holds.

    Returns:
        The model, in training mode as it was built.

    Raises:
        CheckpointError: The file is broken or no checkpoint.
        UnsafeCheckpointError: It would run code.
        MismatchError: It does not fit the model.
        brickwork_init.errors.UnsetError: Something is neither in the checkpoint nor initialised.
    """
    source = os.fspath(filename)
    checkpoint = read_checkpoint(source, map_location, logger, weights_only=weights_only)
    state_dict, keys = select(
        checkpoint, source, prefix=prefix, entry=entry, revise_keys=revise_keys
    )
    del checkpoint  # an optimizer's state need not stay while the model is built
    with deferred():
        model = build()
    # The run's root is a parent of the model: what is loaded before the model's own turn comes
    # from outside of it, and a Pretrained of its own init_cfg leaves it alone.
    with running(nn.Sequential(model)):
        load_state_dict(
            model,
            state_dict,
            strict,
            logger,
            source=source,
            keys=keys,
            on_mismatch=on_mismatch,
            adapters=[_without_values(adapter) for adapter in adapters],
            allow_empty=allow_empty,
            assign=True,
        )
        covered = all(map(is_loaded, model.state_dict(keep_vars=True).values()))
        if not covered and callable(init_weights := getattr(model, "init_weights", None)):
            init_weights()
    _reset_defaults(model)
    with running(model, complete=True):
        pass  # constants that constructors wrote; an error for what nobody gave a value
    return model


def _without_values(adapter: Adapter) -> Adapter:
    """Show an adapter no values of a model that has memory for them and nothing in it yet."""

    def adapt(name: str, source: Tensor, target: Tensor) -> Tensor | None:
        return adapter(name, source, torch.empty(target.shape, dtype=target.dtype, device="meta"))

    return adapt


def _reset_defaults(model: nn.Module) -> None:
    """Let modules draw their default for what is unset, and only for that."""
    for module in model.modules():
        own = {**module._parameters, **module._buffers}
        empty = {name: t for name, t in own.items() if t is not None and t.is_meta}
        if not empty or not callable(reset := getattr(module, "reset_parameters", None)):
            continue
        kept = {n: t.detach().clone() for n, t in own.items() if t is not None and n not in empty}
        device = next((t.device for t in kept.values()), torch.get_default_device())
        for name, tensor in empty.items():
            fresh = torch.empty(tensor.shape, dtype=tensor.dtype, device=device)
            if isinstance(tensor, nn.Parameter):
                module._parameters[name] = nn.Parameter(fresh, tensor.requires_grad)
            else:
                module._buffers[name] = fresh
        reset()
        with torch.no_grad():
            for name, tensor in kept.items():
                getattr(module, name).copy_(tensor)
