"""Loading a state dict into a model, all or nothing, with a report. Needs torch."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist
from brickwork_init import mark_loaded
from torch import Tensor, nn

from brickwork_zoo._redact import redact_credentials
from brickwork_zoo.errors import CheckpointError, MismatchError

from ._adapters import Adapter, bind_adapter
from ._apply_plan import Reuse, apply_plan
from ._load_options import Logger, OnMismatch
from ._load_plan import Plan, plan, set_attributes, set_extra_states
from ._load_report import LoadReport, Mismatch, suggest_renaming
from ._module_tree import EXTRA_STATE, Slot, reshard, slots, walk
from ._select_state_dict import Selection, check_keys


def load_state_dict(
    module: nn.Module,
    state_dict: Mapping[str, Any],
    strict: bool = False,
    logger: Logger = None,
    *,
    source: str | None = None,
    keys: Mapping[str, str] | None = None,
    on_mismatch: OnMismatch = "skip",
    adapters: Sequence[Adapter] = (),
    assign: bool = False,
    allow_empty: bool = False,
    broadcast: bool = False,
) -> LoadReport:
    """Load a state dict into a module.

    Everything is checked first: if this raises :class:`MismatchError`, the module has not been
    changed. Names are those of the module inside data-parallel and ``torch.compile`` wrappers.
    Modules may rename old keys by versions and hooks, as in
    :meth:`torch.nn.Module.load_state_dict`. A missing ``num_batches_tracked`` (old checkpoints
    lack it) and keys of non-persistent buffers do not count as a mismatch.

    Args:
        module: The model.
        state_dict: Key -> tensor.
        strict: Raise if a key is missing or unexpected, or a shape differs; every rank raises, and
            the message lists all differences.
        logger: Logs a warning if model and checkpoint do not match exactly: a logger, a logger's
            name, ``"silent"``, or None for the logger ``brickwork_zoo``.
        source: File or URI to name in messages and in the provenance records of the model.
        keys: Key in ``state_dict`` -> key in the file, for keys that were renamed.
        on_mismatch: ``"skip"`` or ``"error"`` for tensors whose shapes differ.
        adapters: Functions that make tensors fit, such as ``adapt_position_embedding``,
            ``adapt_input_channels`` or ``adapt_classes(...)``: each takes the name, the tensor of
            the checkpoint and that of the model, and returns one of the model's shape, or None.
        assign: Use the tensors of ``state_dict`` themselves instead of copying their values.
        allow_empty: Do not raise if no tensor at all matches.
        broadcast: In a process group: send rank 0's tensors to the other ranks, whose
            ``state_dict`` needs only tensors of the same shapes and dtypes, for example on the
            meta device. Without a process group, this option has no effect.

    Returns:
        A report of the loaded, missing, unexpected and mismatched tensors.

    Raises:
        CheckpointError: If ``state_dict`` does not map strings to tensors.
        MismatchError: If it does not fit the module; see ``strict``, ``on_mismatch`` and
            ``allow_empty``.
    """
    check_keys(state_dict, source or "the state dict")
    return load_selection(
        module,
        Selection(state_dict, source, keys or {}, {}),
        strict,
        logger,
        on_mismatch=on_mismatch,
        adapters=adapters,
        reuse="always" if assign else "never",
        allow_empty=allow_empty,
        broadcast=broadcast,
    )


def load_selection(
    module: nn.Module,
    selection: Selection,
    strict: bool = False,
    logger: Logger = None,
    *,
    on_mismatch: OnMismatch = "skip",
    adapters: Sequence[Adapter] = (),
    reuse: Reuse = "never",
    allow_empty: bool = False,
    broadcast: bool = False,
) -> LoadReport:
    """Load a selected state dict into a module; see :func:`load_state_dict`."""
    if on_mismatch not in ("error", "skip"):
        raise ValueError(f"on_mismatch must be 'error' or 'skip', got {on_mismatch!r}")
    reshard(module)
    state_dict = selection.state_dict
    metadata = getattr(state_dict, "_metadata", None) or {}
    model_slots = tuple(slots(module))
    bound = [bind_adapter(adapter, module) for adapter in adapters]
    fitting, adapted = _adapted(model_slots, state_dict, bound)
    planned = plan(module, model_slots, fitting, metadata)
    check_values(state_dict, selection.source, loaded=planned.loaded_by_modules)
    report = _report(model_slots, planned, selection, adapted)
    _check_report(report, strict=strict, on_mismatch=on_mismatch, allow_empty=allow_empty)
    _apply(model_slots, planned.copies, reuse=reuse, broadcast=broadcast)
    set_attributes(planned)
    set_extra_states(module, state_dict)
    _call_post_hooks(module, report)
    _record(module, report)
    _log(report, logger)
    return report


def check_values(
    state_dict: Mapping[str, Any], source: str | None = None, loaded: Sequence[str] = ()
) -> None:
    """Check that all values are tensors, except extra states and those of keys in `loaded`."""
    others = {
        key: type(value).__name__
        for key, value in state_dict.items()
        if (not isinstance(value, Tensor) or value.is_nested)
        and key.rpartition(".")[2] != EXTRA_STATE
        and key not in loaded
    }
    if others:
        examples = ", ".join(f"{key} ({kind})" for key, kind in list(others.items())[:5])
        raise CheckpointError(
            f"{len(others)} of {len(state_dict)} entries of {source or 'the state dict'} are not "
            f"tensors: {examples}",
            uri=source,
        )


def _apply(
    model_slots: Sequence[Slot], copies: Mapping[int, Tensor], *, reuse: Reuse, broadcast: bool
) -> None:
    tensors = (*(slot.tensor for slot in model_slots), *copies.values())
    broadcast = broadcast and dist.is_available() and dist.is_initialized()
    if not broadcast and not any(hasattr(tensor, "device_mesh") for tensor in tensors):
        apply_plan(model_slots, copies, reuse)
        return
    from ._distributed import load_sharded  # costs the import of torch.distributed.checkpoint

    load_sharded(model_slots, copies, broadcast=broadcast)


def _adapted(
    model_slots: Sequence[Slot], state_dict: Mapping[str, Any], adapters: Sequence[Adapter]
) -> tuple[Mapping[str, Any], dict[str, str]]:
    """Return the state dict after all adapters, and name -> shapes before and after."""
    changed: dict[str, Tensor] = {}
    shapes: dict[str, str] = {}
    for slot in model_slots if adapters else ():
        tensor = state_dict.get(slot.name)
        if not isinstance(tensor, Tensor):
            continue
        for adapter in adapters:
            result = adapter(slot.name, tensor, slot.tensor)
            if result is None:
                continue
            if tuple(result.shape) != slot.shape:
                raise ValueError(
                    f"the adapter {adapter!r} must return {slot.name} in the shape "
                    f"{list(slot.shape)}, got {list(result.shape)}"
                )
            changed[slot.name] = result
            shapes[slot.name] = f"{list(tensor.shape)} -> {list(slot.shape)}"
            break
    return {**state_dict, **changed}, shapes


def _report(
    model_slots: Sequence[Slot],
    planned: Plan,
    selection: Selection,
    adapted: Mapping[str, str],
) -> LoadReport:
    by_name = {slot.name: slot for slot in model_slots}
    shapes = planned.shapes
    covered = {n for n, slot in by_name.items() if id(slot.tensor) in planned.copies}
    covered -= planned.implied
    names = [n for n in by_name if n in covered]
    names += [key for key in planned.loaded_by_modules if key not in by_name]
    mismatched = tuple(
        Mismatch(name, slot.shape, shapes[name])
        for name, slot in by_name.items()
        if name not in covered and name in shapes and shapes[name] != slot.shape
    )
    sizes = {
        id(slot.tensor): math.prod(slot.shape) for slot in by_name.values() if slot.is_parameter
    }
    return LoadReport(
        source=redact_credentials(selection.source) if selection.source else None,
        loaded={name: selection.file_keys.get(name, name) for name in names},
        missing=tuple(k for k in planned.missing if not k.endswith("num_batches_tracked")),
        unexpected=tuple(dict.fromkeys(planned.unexpected)),
        ignored=tuple(planned.ignored),
        mismatched=mismatched,
        adapted=adapted,
        errors=tuple(e for e in planned.errors if not e.startswith("size mismatch for ")),
        loaded_parameters=sum(size for key, size in sizes.items() if key in planned.copies),
        total_parameters=sum(sizes.values()),
        suggestion=_suggestion(by_name, selection, len(covered)),
    )


def _suggestion(by_name: Mapping[str, Slot], selection: Selection, matching: int) -> str:
    if 2 * matching >= len(by_name):
        return ""
    unrevised = selection.unrevised_keys
    shapes = {
        unrevised.get(key, key): tuple(value.shape)
        for key, value in selection.state_dict.items()
        if isinstance(value, Tensor)
    }
    renaming = suggest_renaming({n: s.shape for n, s in by_name.items()}, shapes, matching)
    if renaming and not unrevised:
        renaming += " (an option of select_state_dict and load_checkpoint)"
    return renaming


def _check_report(
    report: LoadReport, *, strict: bool, on_mismatch: OnMismatch, allow_empty: bool
) -> None:
    origin = report.source or "the state dict"
    if report.errors:
        reason = "some modules cannot load their part of it (see errors below)"
    elif strict and not report.complete:
        reason = "it does not match the model exactly (strict=True)"
    elif on_mismatch == "error" and report.mismatched:
        reason = "shapes differ (pass on_mismatch='skip' to leave these tensors out)"
    elif not (report.loaded or allow_empty) and (report.missing or report.mismatched):
        reason = "nothing in it fits the model (pass allow_empty=True to accept that)"
    else:
        return
    raise MismatchError(
        f"cannot load {origin}: {reason}; the model has not been changed\n{report}",
        uri=report.source,
        report=report,
    )


def _call_post_hooks(module: nn.Module, report: LoadReport) -> None:
    incompatible = torch.nn.modules.module._IncompatibleKeys(
        list(report.missing), list(report.unexpected)
    )
    for _, owner in walk(module):
        for hook in owner._load_state_dict_post_hooks.values():
            hook(owner, incompatible)


def _record(module: nn.Module, report: LoadReport) -> None:
    """Record the provenance of the loaded values, by their names in the unwrapped module."""
    own = {
        id(tensor): name
        for tensors in (module.named_parameters, module.named_buffers)
        for name, tensor in tensors(remove_duplicate=False)
    }
    keys = {
        own[id(s.tensor)]: report.loaded[s.name] for s in slots(module) if s.name in report.loaded
    }
    mark_loaded(module, report.source or "a state dict", keys)


def _log(report: LoadReport, logger: Logger) -> None:
    if logger == "silent":
        return
    name = logger if isinstance(logger, str) else "brickwork_zoo"
    target = logger if isinstance(logger, logging.Logger) else logging.getLogger(name)
    if report.complete:
        target.info("%s", report)
    else:
        target.warning("%s", report)
