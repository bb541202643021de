"""Lazy tensors: tensors that stay in their file until they are used. Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from ._read_tensor import Box
from ._stored_tensor import replace_leaves

Read: TypeAlias = Callable[[Tensor], None]
"""Function that reads a part of a stored tensor into the tensor that it is passed."""


class Source(Protocol):
    """The source of a lazy tensor: reads parts of it and moves them to their device."""

    position: tuple[str, int]
    """File and byte offset; tensors are read in this order."""

    def slice(self, box: Box) -> Read:
        """Check that a part can be read, and return a function that reads it."""

    def to_device(self, tensor: Tensor) -> Tensor:
        """Move the complete tensor to the device that ``map_location`` selects."""


class LazyTensor(Tensor):
    """A tensor in a file, which may be larger than the memory of this process.

    Its shape and dtype are known. Each operation on it reads the whole tensor from the file;
    :meth:`slice` reads a part. Pickling and copying give an ordinary tensor.
    """

    source: Source

    # Results of operations are ordinary tensors.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]  # stub

    @staticmethod
    def __new__(cls, source: Source, shape: Sequence[int], dtype: torch.dtype) -> LazyTensor:
        tensor: LazyTensor = Tensor._make_wrapper_subclass(cls, shape, dtype=dtype)
        tensor.source = source
        return tensor

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # the stub has another order of arguments
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation on the values of its lazy arguments."""
        args, kwargs = tree_map_only(cls, cls.read, (args, kwargs or {}))
        return func(*args, **kwargs)

    def read(self) -> Tensor:
        """Return an ordinary tensor with all values.

        Raises:
            CheckpointError: If the file is damaged or cannot be read.
        """
        read = self.slice()
        tensor = torch.empty(self.shape, dtype=self.dtype)
        read(tensor)
        return self.source.to_device(tensor)

    def device_when_read(self) -> torch.device:
        """Return the device of the tensor that :meth:`read` returns."""
        return self.source.to_device(torch.empty(0, dtype=self.dtype)).device

    def slice(self, box: Box | None = None) -> Read:
        """Check that a part (default: everything) can be read; return a function to read it."""
        return self.source.slice(([0] * self.ndim, self.shape) if box is None else box)

    def numpy(self, *, force: bool = False) -> Any:
        """Return the values as a numpy array."""
        return self.read().numpy(force=force)

    def tolist(self) -> Any:
        """Return the values as nested lists."""
        return self.read().tolist()

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle the values as an ordinary tensor."""
        return cast("Any", self.read()).__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """Return a copy of the values as an ordinary tensor."""
        return self.read()

    def __repr__(self, **_: object) -> str:  # type: ignore[override]  # takes what torch's takes
        return f"<lazy tensor {self.dtype} {list(self.shape)}>"


def read_all(content: Any) -> Any:
    """Replace all lazy tensors of a checkpoint by ordinary ones."""
    return replace_leaves(content, LazyTensor, LazyTensor.read)


def without_weights(content: Any, weights: Iterable[Any]) -> Any:
    """Replace `weights` by meta tensors, and all other lazy tensors by ordinary ones."""
    dropped = {id(tensor) for tensor in weights}

    def finished(tensor: Tensor) -> Tensor:
        if id(tensor) in dropped:
            return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
        return tensor.read() if isinstance(tensor, LazyTensor) else tensor

    return replace_leaves(content, Tensor, finished)
