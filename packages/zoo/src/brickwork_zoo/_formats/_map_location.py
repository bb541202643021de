"""The devices of a checkpoint's tensors (``map_location`` of ``torch.load``). Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

import torch

from brickwork_zoo.errors import InvalidInputError

from ._read_tensor import new_storage

MapLocation: TypeAlias = (
    "str | torch.device | Mapping[str, str] | Callable[[torch.UntypedStorage, str], Any] | None"
)

Place: TypeAlias = Callable[[torch.UntypedStorage, str], torch.UntypedStorage]
"""Takes a storage on the CPU and where it was saved; returns it on the device where it goes."""

# torch leaves it without types
_restore = cast("Callable[[Any, str], Any]", torch.serialization.default_restore_location)


def placement(map_location: MapLocation) -> Place:
    """Return the function that moves a storage to its device.

    Raises:
        InvalidInputError: ``map_location`` is a device that is unknown or not there.
    """
    if map_location is None:
        return _place
    if isinstance(map_location, str | torch.device):
        device = str(map_location)
        _place(new_storage(0), device, map_location)
        return lambda storage, _: _place(storage, device, map_location)
    if isinstance(map_location, Mapping):
        table = map_location
        return lambda storage, tag: _place(storage, table.get(tag, tag), table)
    if callable(map_location):
        function = map_location

        def call(storage: torch.UntypedStorage, tag: str) -> torch.UntypedStorage:
            result = function(storage, tag)
            return _place(storage, tag) if result is None else _untyped(result)

        return call
    raise InvalidInputError(
        "map_location must be a device, a mapping of devices, a callable or None, got "
        f"{map_location!r}"
    )


def _untyped(result: Any) -> torch.UntypedStorage:
    return cast("torch.UntypedStorage", getattr(result, "_untyped_storage", result))


def _place(
    storage: torch.UntypedStorage, device: str, map_location: object = None
) -> torch.UntypedStorage:
    if device == "cpu":
        return storage
    try:
        if device == "meta":
            return torch.UntypedStorage(storage.nbytes(), device="meta")  # type: ignore[no-untyped-call]  # torch's
        return cast("torch.UntypedStorage", _restore(storage, device))
    except Exception as error:  # of each device its own
        reason = str(error).partition("\n")[0].split(". ")[0]
        asked = (
            f"the checkpoint was saved on {device!r}"
            if map_location is None
            else f"map_location={map_location!r}"
        )
        raise InvalidInputError(
            f"{asked}, which is not a device of this machine ({reason}); pass map_location='cpu'"
        ) from error
