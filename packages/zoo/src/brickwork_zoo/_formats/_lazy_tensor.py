"""Tensors that stay in their file until they are used. Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

Box: TypeAlias = tuple[Sequence[int], Sequence[int]]
"""A part of a tensor: where it begins and how far it goes, in each dimension."""

Find: TypeAlias = Callable[[Box], Callable[[Tensor], None]]
"""Checks that a part can be read; returns what reads it into a tensor of its size."""


class Unread(Tensor):
    """Stands for a tensor that may be larger than a process can hold.

    Its shape and dtype are known. Any operation reads it whole, anew each time; who needs a part
    reads only that. Where it is pickled, it is read.

    Args:
        find: Finds a part in the file.
        size: Of the whole.
        dtype: Of its elements.
        place: Brings a whole tensor to where it should be.
    """

    find: Find
    place: Callable[[Tensor], Tensor]

    # What comes out of operations is ordinary, and no subclass.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]  # stub

    @staticmethod
    def __new__(
        cls,
        find: Find,
        size: Sequence[int],
        dtype: torch.dtype,
        place: Callable[[Tensor], Tensor],
    ) -> Unread:
        tensor: Unread = Tensor._make_wrapper_subclass(cls, size, dtype=dtype)
        tensor.find, tensor.place = find, place
        return tensor

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]  # the stub has another order of arguments
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read what takes part in an operation."""
        args, kwargs = tree_map_only(cls, cls.whole, (args, kwargs or {}))
        return func(*args, **kwargs)

    def whole(self) -> Tensor:
        """Read all of it.

        Returns:
            An ordinary tensor.

        Raises:
            CheckpointError: The file is damaged.
        """
        fill = self.find_all()
        tensor = torch.empty(self.shape, dtype=self.dtype)
        fill(tensor)
        return self.place(tensor)

    def find_all(self) -> Callable[[Tensor], None]:
        """Check that all of it can be read; returns what reads it into a tensor of its size."""
        return self.find(([0] * self.ndim, self.shape))

    def numpy(self, *, force: bool = False) -> Any:
        """Read it as an array of numpy's."""
        return self.whole().numpy(force=force)

    def tolist(self) -> Any:
        """Read it as nested lists."""
        return self.whole().tolist()

    def __reduce_ex__(self, protocol: Any) -> Any:
        """As an ordinary tensor."""
        return cast("Any", self.whole()).__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """As an ordinary tensor."""
        return self.whole()

    def __repr__(self, **_: object) -> str:  # type: ignore[override]  # takes what torch's takes
        return f"<unread {self.dtype} {list(self.shape)}>"


def read_all(content: Any) -> Any:
    """Read the unread tensors of a checkpoint.

    Args:
        content: What a file holds.

    Returns:
        The same, with ordinary tensors.
    """
    waiting, seen = [content], set()
    while waiting:
        one = waiting.pop()
        if type(one) is dict and id(one) not in seen:
            seen.add(id(one))
            one.update({k: v.whole() for k, v in one.items() if isinstance(v, Unread)})
            waiting += one.values()
    return content
