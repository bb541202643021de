"""Descriptions of tensors where nobody needs the tensors. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._pickled import Stored


@dataclass(frozen=True, eq=False)
class Described:
    """What is known of a tensor: torch's name of its dtype, and its shape."""

    dtype: str
    shape: tuple[int, ...]


class Describer:
    """Makes descriptions instead of tensors."""

    def storage(self, dtype: str, key: str, location: str, count: int) -> None:
        """Nothing: no bytes are read."""

    def view(self, storage: None, dtype: str, offset: int, count: int) -> None:
        """Nothing, either."""

    def tensor(self, stored: Stored[None], offset: int, size: Any, stride: Any) -> Described:
        """What is known of a tensor."""
        return Described(stored.dtype, tuple(size))

    def parameter(self, tensor: Any, requires_grad: bool) -> Any:
        """As of a tensor."""
        return tensor

    def value(self, kind: str, argument: Any) -> Any:
        """The dtype's name, or the device's, or the size."""
        return argument
