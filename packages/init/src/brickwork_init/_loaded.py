"""Recording and asking which parameters and buffers a checkpoint gave their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ._deferred import is_constructing, uninitialized
from ._records import (
    Slot,
    original_slot,
    own_tensors,
    recorded,
    slot_tensor,
    slots_below,
    write_record,
)
from ._session import current_session

_SOURCE = "load_state_dict"

_paused: ContextVar[bool] = ContextVar("brickwork_init.recording_paused", default=False)


@contextmanager
def recording_paused() -> Iterator[None]:
    """Load into a `RecordingModule` without a record, for callers that record more exactly."""
    token = _paused.set(True)
    try:
        yield
    finally:
        _paused.reset(token)


def mark_loaded(module: nn.Module, source: str, keys: Mapping[str, str] | None = None) -> None:
    """Record that a checkpoint gave tensors their values, so that ``init_weights`` keeps them.

    `brickwork_zoo` and ``load_state_dict`` of a `BaseModule` do it themselves. Call it for a
    module of another library that loads its own weights.

    Args:
        module: The module that was loaded, with the loaded tensors in place.
        source: The file or URI of the checkpoint.
        keys: For each parameter and buffer of `module` that was loaded, by its dotted name, its
            key in the checkpoint. By default all of them, under their own names.

    Raises:
        KeyError: If `module` has no parameter or buffer of a name.

    Example:
        >>> from brickwork_init import is_loaded, mark_loaded
        >>> from torch import nn
        >>> backbone = nn.Linear(2, 2)  # one that has loaded its weights itself
        >>> mark_loaded(backbone, 'backbone.pth')
        >>> is_loaded(backbone, 'weight')
        True
    """
    slots = {slot.dotted: slot for slot in slots_below(module)}
    if keys is None:
        keys = {name: name for name in slots}
    for name in keys:
        if name not in slots:
            raise KeyError(f"{type(module).__name__} has no parameter or buffer {name!r}")
    key_of = {id(slots[name].tensor): key for name, key in keys.items()}
    for slot in slots.values():  # tied tensors in each of their slots
        if (key := key_of.get(id(slot.tensor))) is not None:
            _record_loaded(slot, source, key)


def _record_loaded(slot: Slot, source: str, key: str) -> None:
    """Record that a checkpoint gave a slot its value: now, or with the session under way."""
    loaded = "loaded", source, key
    if (session := current_session()) is None:
        write_record(slot.module, slot.name, slot.tensor, loaded)
    else:
        session.record_load(slot.module, slot.name, slot.tensor, loaded)


def is_loaded(module: nn.Module, name: str) -> bool:
    """Return whether a checkpoint gave a parameter or buffer its value.

    Args:
        module: The module.
        name: Dotted name of the parameter or buffer in it. A parametrized one is found by its own
            name and by that of its original.

    Raises:
        KeyError: If `module` has no parameter or buffer of that name.
    """
    *path, attribute = name.split(".")
    holders: list[nn.Module] = [module]
    for part in path:
        child = holders[-1]._modules.get(part)
        if child is None:
            raise KeyError(f"{type(module).__name__} has no module {'.'.join(path)!r}")
        holders.append(child)
    slot = holders[-1], attribute
    if slot_tensor(*slot) is None and (original := original_slot(*slot)) is not None:
        slot = original
        holders.append(slot[0])
    tensor = slot_tensor(*slot)
    if tensor is None:
        raise KeyError(f"{type(module).__name__} has no parameter or buffer {name!r}")
    if (session := current_session()) is not None:
        return id(tensor) in session.loaded
    # The record of an original may be kept by the module that it was taken from.
    sources = [
        source for holder in holders for known, source in recorded(holder) if known is tensor
    ]
    return bool(sources) and sources[-1][0] == "loaded"


class RecordingModule(nn.Module):
    """Base of modules that record what torch's ``load_state_dict`` gives to them.

    It makes no difference whether the load starts at the module or at one around it. Plain
    modules inside are recorded along with it.
    """

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load a state dict as `torch.nn.Module.load_state_dict`, and record what was loaded.

        Args:
            state_dict: Name -> tensor.
            strict: Whether to raise if names are missing or unexpected.
            assign: Whether to put the tensors themselves into the module. Always done while
                parameters or buffers of the module are uninitialized.

        Returns:
            The missing and the unexpected keys.
        """
        assign = assign or is_constructing() or bool(uninitialized(self))
        result = super().load_state_dict(state_dict, strict, assign)
        # More exact than what `_load_from_state_dict` records, where hooks rename keys.
        missing = set(result.missing_keys)
        slots = {slot.dotted: slot for slot in slots_below(self)}
        names = [name for name, slot in slots.items() if _is_saved(slot) and name not in missing]
        mark_loaded(self, _SOURCE, dict(zip(names, names, strict=True)))
        return result

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        # Called for each module of a load, wherever that starts; the children are loaded next.
        super()._load_from_state_dict(state_dict, prefix, *args)
        if _paused.get():
            return
        for slot in _slots_of(self, ""):
            key = prefix + slot.dotted
            value = state_dict.get(key)
            if not isinstance(value, Tensor) or is_lazy(slot.tensor) or not _is_saved(slot):
                continue
            if value.shape == slot.tensor.shape:
                _record_loaded(slot, _SOURCE, key)


def _slots_of(module: nn.Module, path: str) -> Iterator[Slot]:
    """Yield the slots of a module, and of those inside that do not record their own."""
    for name, tensor in own_tensors(module):
        yield Slot(path, module, name, tensor)
    for name, child in module._modules.items():
        if child is not None and not isinstance(child, RecordingModule):
            yield from _slots_of(child, f"{path}.{name}" if path else name)


def _is_saved(slot: Slot) -> bool:
    return slot.name not in slot.module._non_persistent_buffers_set
