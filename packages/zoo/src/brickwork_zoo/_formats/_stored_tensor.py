"""Where a checkpoint file keeps the bytes of a tensor. Works without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ._data_file import DataFile
from ._safe_pickle._opaque_object import OpaqueObject

L = TypeVar("L")


@dataclass(eq=False)
class StoredBytes:
    """Consecutive bytes of a file that one or several tensors share.

    Attributes:
        file: The file.
        start: Position of the first byte; in a legacy file set after the pickle has been read.
        length: Number of bytes.
        location: Where the tensors were when they were saved, ``"cpu"`` or ``"cuda:0"``.
        item_size: Bytes per element, for files of the other byte order.
        swapped: Whether the file has the other byte order than this machine.
    """

    file: DataFile
    start: int
    length: int
    location: str = "cpu"
    item_size: int = 1
    swapped: bool = False


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """A tensor in a file: stands for it in a checkpoint until it is read.

    Attributes:
        storage: The bytes that it lies on.
        dtype: torch's name of its type.
        shape: Its shape.
        offset: Its first element, counted in elements from the beginning of the storage.
        stride: Its strides, in elements.
        requires_grad: Of a parameter; None for a tensor that is not a parameter.
    """

    storage: StoredBytes
    dtype: str
    shape: tuple[int, ...]
    offset: int
    stride: tuple[int, ...]
    requires_grad: bool | None = None


def contiguous_stride(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of a tensor in row-major order."""
    strides: list[int] = []
    step = 1
    for length in reversed(shape):
        strides.append(step)
        step *= length
    return tuple(reversed(strides))


def replace_leaves(content: Any, kind: type[L], replacement: Callable[[L], Any]) -> Any:
    """Replace all objects of one type in nested containers.

    Args:
        content: Dicts, lists, tuples, sets and opaque objects, shared or in cycles as they may be.
            All but tuples and frozen sets are changed in place.
        kind: Type to replace.
        replacement: Called once for each object of this type.

    Returns:
        The content with the replacements.
    """
    done: dict[int, tuple[Any, Any]] = {}  # id -> (object, kept so that its id stays its own; new)

    def new(value: Any) -> Any:
        return done[id(value)][1] if id(value) in done else value

    stack: list[tuple[Any, bool]] = [(content, False)]
    while stack:
        value, children_done = stack.pop()
        if id(value) in done and not children_done:
            continue
        if isinstance(value, kind):
            done[id(value)] = value, replacement(value)
            continue
        children = _children(value)
        if not children:
            continue
        if not children_done:
            done[id(value)] = value, value
            stack.append((value, True))
            stack += [(child, False) for child in children]
        elif any(new(child) is not child for child in children):
            done[id(value)] = value, _rebuilt(value, new)
    return new(content)


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, OpaqueObject):
        return [value.args, value.state, value.items]
    return list(vars(value).values()) if type(value).__name__ == "Namespace" else []


def _rebuilt(value: Any, new: Callable[[Any], Any]) -> Any:
    """Return a container with new items: the same object where its type allows that."""
    if isinstance(value, dict):
        for key, item in value.items():
            value[key] = new(item)
    elif isinstance(value, list):
        value[:] = map(new, value)
    elif isinstance(value, set):
        items = [*map(new, value)]
        value.clear()
        value.update(items)
    elif isinstance(value, tuple | frozenset):
        return type(value)(map(new, value))
    elif isinstance(value, OpaqueObject):
        value.args, value.state, value.items = map(new, (value.args, value.state, value.items))
    else:
        vars(value).update({name: new(item) for name, item in vars(value).items()})
    return value
