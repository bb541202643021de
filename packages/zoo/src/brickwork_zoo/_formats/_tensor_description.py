"""Descriptions of tensors where nobody needs the tensors. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._torch_pickle import Stored


@dataclass(frozen=True, eq=False)
class Described:
    """What is known of a tensor.

    Attributes:
        dtype: torch's name of its type.
        shape: Its shape.
        storage: The key of the storage that it lies on.
        offset: Where in the storage it begins, in elements.
        stride: Its strides, in elements.
    """

    dtype: str
    shape: tuple[int, ...]
    storage: str
    offset: int
    stride: tuple[int, ...]


class Describer:
    """Makes descriptions instead of tensors."""

    def storage(self, dtype: str, key: str, location: str, count: int) -> str:
        """Its name: no bytes are read."""
        return key

    def view(self, storage: str, dtype: str, offset: int, count: int) -> str:
        """The whole storage's name."""
        return storage

    def tensor(self, stored: Stored[str], offset: int, size: Any, stride: Any) -> Described:
        """What is known of a tensor."""
        return Described(stored.dtype, tuple(size), stored.storage, offset, tuple(stride))

    def parameter(self, tensor: Any, requires_grad: bool) -> Any:
        """As of a tensor."""
        return tensor

    def value(self, kind: str, argument: Any) -> Any:
        """The dtype's name, or the device's, or the size."""
        return argument
