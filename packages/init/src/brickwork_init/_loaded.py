"""Which parameters and buffers a checkpoint gave their values."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from ._records import (
    Slot,
    original_slot,
    recorded,
    slot_tensor,
    slots_below,
    write_record,
)
from ._session import current_session


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
            record_loaded_slot(slot, source, key)


def record_loaded_slot(slot: Slot, source: str, key: str) -> None:
    """Record that a checkpoint gave a slot its value: now, or with the session under way.

    Args:
        slot: The slot, with the loaded tensor in place.
        source: The file or URI of the checkpoint.
        key: The key in the checkpoint.
    """
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
