"""Where the values of tensors came from, kept by tensor for as long as the tensor lives."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple, TypeAlias

from torch import Tensor, nn

from ._sharded import is_sharded

Place: TypeAlias = tuple[nn.Module, str]  # a module and the name of its parameter or buffer


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


UNNAMED = "load_state_dict"  # the source of what foreign code loaded


class Histories:
    """The writes that tensors have seen, by tensor; it does not keep a tensor alive.

    `torch.utils.weak.WeakTensorKeyDictionary` does the same at many times the cost of an entry,
    which would be a third of what it costs to initialise a small layer. Here a write costs an
    entry in a list; the entries are sorted by tensor when somebody asks, and nothing is called
    when a tensor goes: what has gone is swept out once it may be half of what there is.
    """

    def __init__(self) -> None:
        self._unsorted: list[tuple[weakref.ref[Tensor], Write]] = []
        self._sorted: dict[int, tuple[weakref.ref[Tensor], tuple[Write, ...]]] = {}
        # Those that were loaded; others may have come to their `id`
        self.loaded: dict[int, weakref.ref[Tensor]] = {}
        self._sweep_at = 1024

    def __len__(self) -> int:
        return len(self._unsorted) + len(self._sorted)

    def add(self, tensor: Tensor, write: Write) -> None:
        """Note that a tensor was written; writes of one author in a row count once."""
        self._unsorted.append((weakref.ref(tensor), write))

    def add_load(self, tensor: Tensor, load: Write) -> None:
        """Note that a tensor was loaded."""
        self.add(tensor, load)
        self.loaded[id(tensor)] = weakref.ref(tensor)
        self._sweep()

    def add_all(self, new: Histories, *, afresh: bool) -> None:
        """Take over what was noted elsewhere.

        Args:
            new: The others, done with.
            afresh: Whether they stand in the place of what the same tensors had seen before.
        """
        if afresh:
            self._sort()
            new._sort()
            self._sorted.update(new._sorted)
            for key in self.loaded.keys() & new._sorted.keys():
                del self.loaded[key]
        else:
            for ref, writes in new._sorted.values():
                self._unsorted += [(ref, write) for write in writes]
            self._unsorted += new._unsorted
        self.loaded.update(new.loaded)
        self._sweep()

    def get(self, tensor: Tensor) -> tuple[Write, ...]:
        """Return the writes that a tensor has seen, in order."""
        self._sort()
        known = self._sorted.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else ()

    def has_load(self, tensor: Tensor) -> bool:
        """Whether a load is among the writes that a tensor has seen."""
        known = self.loaded.get(id(tensor))
        return known is not None and known() is tensor

    def _sort(self) -> None:
        unsorted, self._unsorted = self._unsorted, []
        for ref, write in unsorted:
            tensor = ref()
            if tensor is not None:
                known = self._sorted.get(id(tensor))
                before = known[1] if known is not None and known[0]() is tensor else ()
                self._sorted[id(tensor)] = ref, _followed(before, write)

    def _sweep(self) -> None:
        if len(self) <= self._sweep_at:
            return
        self._unsorted = [one for one in self._unsorted if one[0]() is not None]
        self._sorted = {key: one for key, one in self._sorted.items() if one[0]() is not None}
        self.loaded = {key: ref for key, ref in self.loaded.items() if ref() is not None}
        self._sweep_at = max(1024, 2 * len(self))


def _followed(writes: tuple[Write, ...], write: Write) -> tuple[Write, ...]:
    """Add a write, unless it is one with the last."""
    last = writes[-1] if writes else None
    if last is write:
        return writes
    if last is not None and last.kind is write.kind is Kind.LOADED and last.by == UNNAMED:
        return (*writes[:-1], write)  # the same load, by the name of its file
    return (*writes, write)


HISTORIES = Histories()


def named_tensors(module: nn.Module) -> Iterable[tuple[str, Tensor]]:
    """Yield every parameter and buffer below `module` under each of its names."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def targets(module: nn.Module, keys: Mapping[str, str]) -> Iterator[tuple[Place, Tensor, str]]:
    """Yield the places in `module` that `keys` names, what they hold, and the checkpoint's keys.

    Raises:
        KeyError: If there is no parameter or buffer of a name.
    """
    modules = dict(module.named_modules(remove_duplicate=False))
    for name, key in keys.items():
        path, _, attribute = name.rpartition(".")
        owner = modules.get(path)
        tensor = owner and owner._parameters.get(attribute, owner._buffers.get(attribute))
        if owner is None or tensor is None:
            raise KeyError(f"{type(module).__name__} has no parameter or buffer {name!r}")
        yield (owner, attribute), tensor, key


# Where loads went: `fully_shard` puts new tensors into the places of those it shards.
_LOADED: weakref.WeakKeyDictionary[nn.Module, dict[str, Write]] = weakref.WeakKeyDictionary()


def remember(place: Place, load: Write) -> None:
    """Note where a load went."""
    module, name = place
    _LOADED.setdefault(module, {})[name] = load


def follow_shards(model: nn.Module) -> None:
    """Let what was loaded into a model before it was sharded be known of its shards."""
    if not _LOADED:
        return
    for module in model.modules():
        for name, load in _LOADED.get(module, {}).items():
            tensor = module._parameters.get(name)
            if tensor is not None and is_sharded(tensor) and not HISTORIES.get(tensor):
                HISTORIES.add_load(tensor, load)
