"""Tensors that stay in their file until they are read. Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from ._read_tensor import Box
from ._stored_tensor import replace_leaves

Read: TypeAlias = Callable[[Tensor], None]
"""Reads a part of a tensor into a tensor of the part's shape."""


class Source(Protocol):
    """Where the values of a lazy tensor come from."""

    position: tuple[str, int]
    """File and byte, to read several tensors in the order of the file."""

    def slice(self, box: Box) -> Read:
        """Check that a part can be read, and return a function that reads it."""

    def place(self, tensor: Tensor) -> Tensor:
        """Move a full tensor to the device of ``map_location``."""


class LazyTensor(Tensor):
    """A tensor in a file, which may be larger than the memory of this process.

    Its shape and dtype are known. An operation reads all of it, anew each time; :meth:`slice` reads
    a part. It is pickled and copied as an ordinary tensor.
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
        """Read the arguments of an operation, and do it."""
        args, kwargs = tree_map_only(cls, cls.read, (args, kwargs or {}))
        return func(*args, **kwargs)

    def read(self) -> Tensor:
        """Read all of it.

        Raises:
            CheckpointError: The file is damaged, or cannot be read.
        """
        read = self.slice()
        tensor = torch.empty(self.shape, dtype=self.dtype)
        read(tensor)
        return self.source.place(tensor)

    def device_when_read(self) -> torch.device:
        """Return the device on which :meth:`read` puts it."""
        return self.source.place(torch.empty(0, dtype=self.dtype)).device

    def slice(self, box: Box | None = None) -> Read:
        """Check that a part can be read, by default all, and return a function that reads it."""
        return self.source.slice(([0] * self.ndim, self.shape) if box is None else box)

    def numpy(self, *, force: bool = False) -> Any:
        """Read it as an array of numpy."""
        return self.read().numpy(force=force)

    def tolist(self) -> Any:
        """Read it as nested lists."""
        return self.read().tolist()

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle it as an ordinary tensor."""
        return cast("Any", self.read()).__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """Return an ordinary tensor."""
        return self.read()

    def __repr__(self, **_: object) -> str:  # type: ignore[override]  # takes what torch's takes
        return f"<lazy tensor {self.dtype} {list(self.shape)}>"


def read_all(content: Any) -> Any:
    """Read the lazy tensors of a checkpoint."""
    return replace_leaves(content, LazyTensor, LazyTensor.read)


def without_weights(content: Any, weights: Iterable[Any]) -> Any:
    """Read the lazy tensors of a checkpoint, and drop the values of its weights."""
    dropped = {id(tensor) for tensor in weights}

    def finished(tensor: Tensor) -> Tensor:
        if id(tensor) in dropped:
            return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
        return tensor.read() if isinstance(tensor, LazyTensor) else tensor

    return replace_leaves(content, Tensor, finished)
