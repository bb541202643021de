"""Loading a state dict into a model, all or nothing, with a report. Needs torch."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
import torch.distributed as dist
from brickwork_init import may_load, record_loaded
from torch import Tensor, nn

from brickwork_zoo.errors import CheckpointError, MismatchError

from ._adapters import Adapter
from ._load_plan import EXTRA_STATE, Plan, carry_out, plan, set_extra_states
from ._load_report import LoadReport, Mismatch, suggest_renaming
from ._module_tree import Slot, reshard, slots, walk

OnMismatch = Literal["error", "skip"]
Logger = logging.Logger | str | None


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

    Everything is checked first: when this raises, the module is as it was. Data-parallel and
    ``torch.compile`` wrappers inside the module do not count in the names; the versions and hooks
    of modules that rename old keys work as in :meth:`torch.nn.Module.load_state_dict`. A missing
    ``num_batches_tracked`` is no fault: old checkpoints do not have it.

    Args:
        module: The model.
        state_dict: Key -> tensor.
        strict: Raise when anything is missing, unexpected or of another shape; on every rank, and
            with all of it in one message.
        logger: Gets a warning when model and checkpoint do not match exactly: a logger, the name
            of one, ``"silent"``, or ``None`` for ``brickwork_zoo``.
        source: File or URI to name in messages and in the model's record of what it was given.
        keys: Key in ``state_dict`` -> key in the file, where these differ.
        on_mismatch: What tensors of another shape do: ``"skip"`` leaves the model's, ``"error"``
            raises.
        adapters: Make tensors fit: each is called with the name, the tensor of the checkpoint and
            that of the model, and returns one of the model's shape, or None; for example
            ``adapt_position_embedding``, ``adapt_input_channels``, ``adapt_classes(...)``.
        assign: Use the given tensors themselves instead of copying their values.
        allow_empty: Accept that nothing at all is loaded.
        broadcast: In a process group: take rank 0's tensors and send them to the other ranks,
            where the state dict holds tensors of the same shapes and dtypes, which may be on the
            meta device. A process that is alone loads its own.

    Returns:
        What was loaded, and what was not.

    Raises:
        CheckpointError: ``state_dict`` does not map strings to tensors.
        MismatchError: It does not fit, as ``strict``, ``on_mismatch`` and ``allow_empty`` say.
    """
    if on_mismatch not in ("error", "skip"):
        raise ValueError(f"on_mismatch must be 'error' or 'skip', not {on_mismatch!r}")
    check_state_dict(state_dict, source)
    reshard(module)
    metadata = getattr(state_dict, "_metadata", None) or {}
    places = tuple(slots(module))
    fitting, adapted = _adapted(places, state_dict, adapters)
    planned = plan(module, places, fitting, metadata)
    kept = {i for i in planned.copies if not may_load(planned.targets[i])}
    report = _report(places, planned, kept, source, keys or {}, adapted)
    _judge(report, strict=strict, on_mismatch=on_mismatch, allow_empty=allow_empty)
    _carry_out(
        places,
        {i: tensor for i, tensor in planned.copies.items() if i not in kept},
        assign=assign,
        broadcast=broadcast,
    )
    set_extra_states(module, state_dict)
    _call_post_hooks(module, report)
    _record(module, report)
    _log(report, logger)
    return report


def check_state_dict(state_dict: object, source: str | None = None) -> None:
    """Check that something maps strings to tensors.

    Args:
        state_dict: What is to be loaded.
        source: File or URI to name in the error.

    Raises:
        CheckpointError: It does not.
    """
    origin = source or "the state dict"
    if not isinstance(state_dict, Mapping):
        raise CheckpointError(
            f"{origin} holds a {type(state_dict).__name__}, not a state dict", uri=source
        )
    odd = [key for key in state_dict if not isinstance(key, str)]
    if odd:
        raise CheckpointError(f"{origin}: keys must be strings, not {odd[:5]!r}", uri=source)
    values = {
        key: type(value).__name__
        for key, value in state_dict.items()
        if (not isinstance(value, Tensor) or value.is_nested)
        and key.rpartition(".")[2] != EXTRA_STATE
    }
    if values:
        some = ", ".join(f"{key} ({kind})" for key, kind in list(values.items())[:5])
        raise CheckpointError(
            f"{origin}: {len(values)} of {len(state_dict)} entries are no tensors: {some}",
            uri=source,
        )


def _carry_out(
    places: Sequence[Slot], copies: Mapping[int, Tensor], *, assign: bool, broadcast: bool
) -> None:
    tensors = (*(slot.tensor for slot in places), *copies.values())
    broadcast = broadcast and dist.is_available() and dist.is_initialized()
    if not broadcast and not any(hasattr(tensor, "device_mesh") for tensor in tensors):
        carry_out(places, copies, assign=assign)
        return
    from ._distributed import load_sharded  # costs the import of torch.distributed.checkpoint

    load_sharded(places, copies, broadcast=broadcast)


def _adapted(
    places: Sequence[Slot], state_dict: Mapping[str, Any], adapters: Sequence[Adapter]
) -> tuple[Mapping[str, Any], dict[str, str]]:
    """The state dict with tensors made to fit, and name -> what was done."""
    changed: dict[str, Tensor] = {}
    notes: dict[str, str] = {}
    for slot in places if adapters else ():
        given = state_dict.get(slot.name)
        if given is None:
            continue
        for adapter in adapters:
            result = adapter(slot.name, given, slot.tensor)
            if result is None:
                continue
            if tuple(result.shape) != slot.shape:
                raise ValueError(
                    f"the adapter {adapter!r} gave {slot.name} the shape {list(result.shape)}, "
                    f"not {list(slot.shape)}"
                )
            changed[slot.name] = result
            notes[slot.name] = f"{list(given.shape)} -> {list(slot.shape)}"
            break
    return {**state_dict, **changed}, notes


def _report(
    places: Sequence[Slot],
    planned: Plan,
    kept: set[int],
    source: str | None,
    keys: Mapping[str, str],
    adapted: Mapping[str, str],
) -> LoadReport:
    by_name = {slot.name: slot for slot in places}
    shapes = planned.shapes
    covered = {n for n, slot in by_name.items() if id(slot.tensor) in planned.copies}
    covered -= planned.implied
    loaded = {
        n: keys.get(n, n) for n in by_name if n in covered and id(by_name[n].tensor) not in kept
    }
    mismatched = tuple(
        Mismatch(name, slot.shape, shapes[name])
        for name, slot in by_name.items()
        if name not in covered and name in shapes and shapes[name] != slot.shape
    )
    sizes = {
        id(slot.tensor): math.prod(slot.shape) for slot in by_name.values() if slot.is_parameter
    }
    own = {name: slot.shape for name, slot in by_name.items()}
    return LoadReport(
        source=source,
        loaded=loaded,
        missing=tuple(k for k in planned.missing if not k.endswith("num_batches_tracked")),
        unexpected=tuple(dict.fromkeys(planned.unexpected)),
        mismatched=mismatched,
        adapted=adapted,
        kept=tuple(n for n in by_name if n in covered and n not in loaded),
        errors=tuple(e for e in planned.errors if not e.startswith("size mismatch for ")),
        loaded_parameters=sum(
            size for key, size in sizes.items() if key in planned.copies.keys() - kept
        ),
        total_parameters=sum(sizes.values()),
        suggestion=suggest_renaming(own, shapes) if 2 * len(covered) < len(own) else "",
    )


def _judge(report: LoadReport, *, strict: bool, on_mismatch: OnMismatch, allow_empty: bool) -> None:
    origin = report.source or "the state dict"
    if report.errors:
        why = "modules refused what it holds"
    elif strict and not report.complete:
        why = "it does not match the model exactly (strict=True)"
    elif on_mismatch == "error" and report.mismatched:
        why = "tensors have other shapes (on_mismatch='skip' leaves these out)"
    elif not (report.loaded or report.kept or allow_empty) and (
        report.missing or report.mismatched
    ):
        why = "nothing in it fits the model (allow_empty=True accepts that)"
    else:
        return
    raise MismatchError(
        f"cannot load {origin}: {why}; the model is as it was\n{report}",
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
    """Tell the initialisers what was loaded, by the names that the module itself uses."""
    own = {
        id(tensor): name
        for tensors in (module.named_parameters, module.named_buffers)
        for name, tensor in tensors(remove_duplicate=False)
    }
    keys = {
        own[id(s.tensor)]: report.loaded[s.name] for s in slots(module) if s.name in report.loaded
    }
    record_loaded(module, report.source or "a state dict", keys)


def _log(report: LoadReport, logger: Logger) -> None:
    if logger == "silent":
        return
    name = logger if isinstance(logger, str) else "brickwork_zoo"
    target = logger if isinstance(logger, logging.Logger) else logging.getLogger(name)
    if report.complete:
        target.info("%s", report)
    else:
        target.warning("%s", report)
