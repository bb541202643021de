"""Containers that tell a collate function how to batch their contents."""

from typing import Any

import torch

__all__ = ["DataContainer"]


class DataContainer:
    """One item of a sample, and how items like it are batched.

    Args:
        data: A tensor, an array, or any other object.
        stack: Whether tensors of a batch are padded to one size and stacked.
        padding_value: Value of the padding.
        cpu_only: Whether the item stays on the CPU.
        pad_dims: Number of last dimensions to pad: 1, 2, 3, or None for no padding.

    Raises:
        ValueError: If `pad_dims` is another number.
    """

    def __init__(
        self,
        data: Any,
        stack: bool = False,
        padding_value: int = 0,
        cpu_only: bool = False,
        pad_dims: int | None = 2,
    ) -> None:
        if pad_dims not in (None, 1, 2, 3):
            raise ValueError(f"pad_dims must be one of None, 1, 2, 3, got {pad_dims!r}")
        self._data = data
        self._stack = stack
        self._padding_value = padding_value
        self._cpu_only = cpu_only
        self._pad_dims = pad_dims

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.data!r})"

    def __len__(self) -> int:
        return len(self._data)

    @property
    def data(self) -> Any:
        """The contents."""
        return self._data

    @property
    def datatype(self) -> type | str:
        """The type of a tensor, such as `"torch.FloatTensor"`, or the class of other contents."""
        return self._data.type() if isinstance(self._data, torch.Tensor) else type(self._data)

    @property
    def cpu_only(self) -> bool:
        """Whether the item stays on the CPU."""
        return self._cpu_only

    @property
    def stack(self) -> bool:
        """Whether tensors of a batch are padded and stacked."""
        return self._stack

    @property
    def padding_value(self) -> int:
        """Value of the padding."""
        return self._padding_value

    @property
    def pad_dims(self) -> int | None:
        """Number of last dimensions to pad."""
        return self._pad_dims

    def size(self, *args: Any, **kwargs: Any) -> Any:
        """Return the size of the tensor, as `torch.Tensor.size` does."""
        return self._tensor("size").size(*args, **kwargs)

    def dim(self) -> int:
        """Return the number of dimensions of the tensor."""
        return self._tensor("dim").dim()

    def _tensor(self, method: str) -> torch.Tensor:
        if not isinstance(self._data, torch.Tensor):
            raise AttributeError(
                f"{type(self).__name__} has no {method}() unless it holds a tensor, got"
                f" {self.datatype}"
            )
        return self._data
