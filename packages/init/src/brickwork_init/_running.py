"""Start the run that initialises a model, or join it; and what those who load tell it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

import torch
from torch import Tensor, nn

from ._memory import Allocation
from ._provenance import (
    HISTORIES,
    Kind,
    Write,
    follow_shards,
    remember,
    targets,
)
from ._run import Run
from .errors import UnsetError

_current: ContextVar[Run | None] = ContextVar("brickwork_init.run", default=None)


def current_run() -> Run | None:
    """Return the run that is under way, if there is one."""
    return _current.get()


@contextmanager
def running(
    root: nn.Module, *, force: bool = False, dry: bool = False, complete: bool = False
) -> Iterator[Run]:
    """Join the run that is under way, or start one at `root`.

    What a run that raises has noted is forgotten.

    Args:
        root: The outermost module of a run that is started.
        force: Whether to start over: what was loaded before counts for nothing.
        dry: Whether to write down only what would be done.
        complete: Whether every parameter and buffer must have a value in the end.

    Raises:
        UnsetError: If `complete` and a model built under `deferred` has parts without a value.
    """
    run = _current.get()
    if run is not None:
        yield run
        return
    follow_shards(root)
    run = Run(root, force=force, dry=dry)
    token = _current.set(run)
    memory = None if dry else Allocation(root)
    try:
        with torch.no_grad(), _kept_generators() if dry else nullcontext():
            yield run
            left = memory.settle(run.wrote, complete=complete) if memory is not None else []
            if left and complete:
                raise UnsetError(_unset_message(root, left), left)
        if not dry:
            run.commit()
    except BaseException:
        if memory is not None:
            memory.settle(run.wrote, complete=False)
        for undo, module in reversed(run.undo):
            undo(module)
        raise
    finally:
        _current.reset(token)


def _unset_message(root: nn.Module, names: list[str]) -> str:
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return (
        f"{type(root).__name__} was built under deferred(), and no rule and no checkpoint gave "
        f"a value to {shown}; add a rule that selects what is named, for example "
        f"dict(type='Normal', std=0.02, match={names[0]!r})"
    )


def _kept_generators() -> AbstractContextManager[None]:
    """Draw without the generators going on."""
    used = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]  # torch leaves it bare
    devices = range(torch.cuda.device_count()) if used else ()
    return torch.random.fork_rng(devices)


def record_loaded(module: nn.Module, source: str, keys: Mapping[str, str]) -> None:
    """Note that a checkpoint gave tensors their values; rules leave them alone from then on.

    Args:
        module: The module that was loaded, with the loaded tensors in place.
        source: The file or URI of the checkpoint.
        keys: For each parameter and buffer of `module` that was loaded, by its dotted name, its
            key in the checkpoint.

    Raises:
        KeyError: If `module` has no parameter or buffer of a name.
    """
    run, owner = _current.get(), weakref.ref(module)
    for place, tensor, key in targets(module, keys):
        load = Write(Kind.LOADED, source, owner, key)
        remember(place, load)
        if run is None:
            HISTORIES.add_load(tensor, load)
        elif run.may_write(tensor, Kind.LOADED):
            run.record_load(tensor, load)


def is_loaded(tensor: Tensor) -> bool:
    """Whether a checkpoint gave a tensor its value, so that rules leave it alone.

    Args:
        tensor: A parameter or buffer.
    """
    run = _current.get()
    return HISTORIES.has_load(tensor) if run is None else run.has_load(tensor)


def may_load(tensor: Tensor) -> bool:
    """Whether an initializer that loads may write a tensor.

    It may not where, in the same `init_weights`, the checkpoint of an outer module already did.

    Args:
        tensor: A parameter or buffer.
    """
    run = _current.get()
    return run is None or run.may_write(tensor, Kind.LOADED)
