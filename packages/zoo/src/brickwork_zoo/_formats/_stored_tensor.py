"""Stored tensors: the location of a tensor's bytes in a checkpoint file. Works without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from ._data_file import DataFile
from ._safe_pickle._opaque_object import OpaqueObject

L = TypeVar("L")


@dataclass(eq=False)
class StoredBytes:
    """Consecutive bytes of a file: the storage of one or more tensors.

    Attributes:
        file: The file.
        start: Position of the first byte; in a legacy file set after the pickle has been read.
        length: Number of bytes.
        location: Device of the tensors when they were saved, such as ``"cpu"`` or ``"cuda:0"``.
        item_size: Bytes per element, needed to swap the byte order.
        swapped: Whether the byte order of the file differs from that of this machine.
    """

    file: DataFile
    start: int
    length: int
    location: str = "cpu"
    item_size: int = 1
    swapped: bool = False


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """The description of a tensor in a file; a checkpoint contains it until the tensor is read.

    Attributes:
        storage: The bytes that the tensor views.
        dtype: Name of the dtype in torch, such as ``"float32"``.
        shape: Shape of the tensor.
        offset: Offset of the first element in the storage, in elements.
        stride: Strides, in elements.
        requires_grad: Value for a parameter; None if the tensor is not a parameter.
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
        content: Nested dicts, lists, tuples, sets and opaque objects; they may be shared and
            contain cycles. All except tuples and frozen sets are modified in place.
        kind: Type to replace.
        replacement: Called once for each object of this type.

    Returns:
        The content with the replacements.
    """
    # id -> (object, kept alive so that its id stays unique; replacement)
    done: dict[int, tuple[Any, Any]] = {}

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
    """Replace the items of a container, in place if its type is mutable, and return it."""
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
