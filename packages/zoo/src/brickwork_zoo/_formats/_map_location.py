"""``map_location``: selects the devices of a checkpoint's tensors. Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

import torch

from brickwork_zoo.errors import InvalidInputError

from ._read_tensor import new_storage

MapLocation: TypeAlias = (
    "str | torch.device | Mapping[str, str] | Callable[[torch.UntypedStorage, str], Any] | None"
)

MoveStorage: TypeAlias = Callable[[torch.UntypedStorage, str], torch.UntypedStorage]
"""Takes a CPU storage and the device it was saved on; returns it on the device to use."""

# torch has no type hints for it
_restore = cast("Callable[[Any, str], Any]", torch.serialization.default_restore_location)


def storage_mover(map_location: MapLocation) -> MoveStorage:
    """Return the function that moves a storage to the device that ``map_location`` selects.

    Raises:
        InvalidInputError: If ``map_location`` is invalid, or a device that this machine lacks.
    """
    if map_location is None:
        return _move_to
    if isinstance(map_location, str | torch.device):
        device = str(map_location)
        _move_to(new_storage(0), device, map_location)
        return lambda storage, _: _move_to(storage, device, map_location)
    if isinstance(map_location, Mapping):
        table = map_location
        return lambda storage, tag: _move_to(storage, table.get(tag, tag), table)
    if callable(map_location):
        function = map_location

        def call(storage: torch.UntypedStorage, tag: str) -> torch.UntypedStorage:
            result = function(storage, tag)
            return _move_to(storage, tag) if result is None else _untyped(result)

        return call
    raise InvalidInputError(
        "map_location must be a device, a mapping of devices, a callable or None, got "
        f"{map_location!r}"
    )


def _untyped(result: Any) -> torch.UntypedStorage:
    return cast("torch.UntypedStorage", getattr(result, "_untyped_storage", result))


def _move_to(
    storage: torch.UntypedStorage, device: str, map_location: object = None
) -> torch.UntypedStorage:
    if device == "cpu":
        return storage
    try:
        if device == "meta":
            return torch.UntypedStorage(storage.nbytes(), device="meta")  # type: ignore[no-untyped-call]  # torch's
        return cast("torch.UntypedStorage", _restore(storage, device))
    except Exception as error:  # devices raise different exceptions
        reason = str(error).partition("\n")[0].split(". ")[0]
        asked = (
            f"the checkpoint was saved on {device!r}"
            if map_location is None
            else f"map_location={map_location!r}"
        )
        raise InvalidInputError(
            f"{asked}, which is not a device of this machine ({reason}); pass map_location='cpu'"
        ) from error
