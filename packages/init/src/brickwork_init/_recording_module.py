"""A module whose ``load_state_dict`` records what it loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ._deferred import is_constructing, uninitialized
from ._loaded import mark_loaded, record_loaded_slot
from ._records import Slot, own_tensors, slots_below

_SOURCE = "load_state_dict"

_paused: ContextVar[bool] = ContextVar("brickwork_init.recording_paused", default=False)


@contextmanager
def recording_paused() -> Iterator[None]:
    """Let a `RecordingModule` load without a record, for those who then record more exactly."""
    token = _paused.set(True)
    try:
        yield
    finally:
        _paused.reset(token)


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
                record_loaded_slot(slot, _SOURCE, key)


def _slots_of(module: nn.Module, path: str) -> Iterator[Slot]:
    """Yield the slots of a module, and of those inside that do not record their own."""
    for name, tensor in own_tensors(module):
        yield Slot(path, module, name, tensor)
    for name, child in module._modules.items():
        if child is not None and not isinstance(child, RecordingModule):
            yield from _slots_of(child, f"{path}.{name}" if path else name)


def _is_saved(slot: Slot) -> bool:
    return slot.name not in slot.module._non_persistent_buffers_set
