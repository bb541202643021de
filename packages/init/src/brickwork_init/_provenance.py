"""Where the values of tensors came from, kept by tensor for as long as the tensor lives."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from torch import Tensor, nn


class Kind(Enum):
    """Who may have given a tensor its value."""

    DEFAULT = "default"  # the constructor
    RULE = "rule"  # a rule of an init_cfg
    CODE = "code"  # somebody's own init_weights, or own initializer
    LOADED = "loaded"  # a checkpoint


class Write(NamedTuple):
    """One value given to a tensor.

    Args:
        kind: By whom.
        by: The initializer, the class whose ``init_weights`` it was, or the file or URI.
        module: The module whose init_cfg, or code, it was; it may be gone by now.
        key: The name in the checkpoint.
    """

    kind: Kind
    by: object
    module: weakref.ref[nn.Module] | None = None
    key: str | None = None

    @classmethod
    def of(cls, kind: Kind, by: object, module: nn.Module) -> Write:
        """Make the record of what `module` does."""
        return cls(kind, by, weakref.ref(module))


UNNAMED = "load_state_dict"  # the source of what foreign code loaded


class _Histories:
    """A map from tensors to the writes they have seen; an entry goes when its tensor does.

    `torch.utils.weak.WeakTensorKeyDictionary` does the same at twenty times the cost of an entry,
    which would be a third of what initialising a small layer costs.
    """

    def __init__(self) -> None:
        self._entries: dict[int, tuple[weakref.ref[Tensor], tuple[Write, ...]]] = {}
        self.loaded: set[int] = set()  # ids of those that were loaded

    def get(self, tensor: Tensor) -> tuple[Write, ...]:
        entry = self._entries.get(id(tensor))
        return entry[1] if entry is not None and entry[0]() is tensor else ()

    def set(self, tensor: Tensor, writes: tuple[Write, ...]) -> None:
        entries, loaded, key = self._entries, self.loaded, id(tensor)

        def forget(gone: weakref.ref[Tensor]) -> None:
            entry = entries.get(key)
            if entry is not None and entry[0] is gone:
                del entries[key]
                loaded.discard(key)

        entries[key] = weakref.ref(tensor, forget), writes
        if any(one.kind is Kind.LOADED for one in writes):
            loaded.add(key)
        else:
            loaded.discard(key)


HISTORIES = _Histories()


def named_tensors(module: nn.Module) -> Iterable[tuple[str, Tensor]]:
    """Yield every parameter and buffer below `module` under each of its names."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def loaded_last(writes: Iterable[Write]) -> Write | None:
    """Return the last record of a load among `writes`."""
    return next((one for one in reversed(tuple(writes)) if one.kind is Kind.LOADED), None)


def with_load(writes: tuple[Write, ...], load: Write) -> tuple[Write, ...]:
    """Add a load; one of the same tensor whose source was not known is the same load, named."""
    if writes and writes[-1].kind is Kind.LOADED and writes[-1].by == UNNAMED:
        return (*writes[:-1], load)
    return (*writes, load)


def targets(module: nn.Module, keys: Mapping[str, str]) -> Iterable[tuple[Tensor, str]]:
    """Yield the tensors of `module` that `keys` names, each with its key in the checkpoint.

    Raises:
        KeyError: If there is no parameter or buffer of a name.
    """
    tensors = dict(named_tensors(module))
    for name, key in keys.items():
        try:
            yield tensors[name], key
        except KeyError:
            raise KeyError(f"{type(module).__name__} has no parameter or buffer {name!r}") from None
