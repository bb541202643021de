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


class _Histories:
    """A map from tensors to the writes they have seen; it does not keep a tensor alive.

    `torch.utils.weak.WeakTensorKeyDictionary` does the same at many times the cost of an entry,
    which would be a third of what it costs to initialise a small layer. Here nothing is called
    when a tensor goes: what has gone is swept out once it may be half of what there is.
    """

    def __init__(self) -> None:
        self._tensors: dict[int, weakref.ref[Tensor]] = {}
        self._writes: dict[int, tuple[Write, ...]] = {}
        self.loaded: set[int] = set()  # those that were loaded, or had the `id` of one that was
        self._sweep_at = 1024

    def get(self, tensor: Tensor) -> tuple[Write, ...]:
        known = self._tensors.get(id(tensor))
        return self._writes[id(tensor)] if known is not None and known() is tensor else ()

    def has_load(self, tensor: Tensor) -> bool:
        """Whether a load is among the writes that a tensor has seen."""
        return id(tensor) in self.loaded and bool(self.get(tensor))

    def add_load(self, tensor: Tensor, load: Write) -> None:
        key = id(tensor)
        self.replace({key: tensor}, {key: with_load(self.get(tensor), load)}, {key})

    def replace(
        self,
        tensors: Mapping[int, Tensor],
        writes: Mapping[int, tuple[Write, ...]],
        loaded: Iterable[int],
    ) -> None:
        """Replace what is known of tensors, by their `id`.

        Args:
            tensors: The tensors.
            writes: What they have seen.
            loaded: Which of them a load is among the writes of.
        """
        self._tensors.update(zip(tensors, map(weakref.ref, tensors.values()), strict=True))
        self._writes.update(writes)
        self.loaded.difference_update(tensors)
        self.loaded.update(loaded)
        if len(self._tensors) > self._sweep_at:
            self._sweep()

    def known(self, tensors: Mapping[int, Tensor]) -> set[int]:
        """Return which of the tensors, by `id`, something is known of, or was of one long gone."""
        return tensors.keys() & self._tensors.keys()

    def _sweep(self) -> None:
        self._tensors = {key: ref for key, ref in self._tensors.items() if ref() is not None}
        self._writes = {key: self._writes[key] for key in self._tensors}
        self.loaded.intersection_update(self._tensors)
        self._sweep_at = max(1024, 2 * len(self._tensors))


HISTORIES = _Histories()


def named_tensors(module: nn.Module) -> Iterable[tuple[str, Tensor]]:
    """Yield every parameter and buffer below `module` under each of its names."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def with_load(writes: tuple[Write, ...], load: Write) -> tuple[Write, ...]:
    """Add a load; one of the same tensor whose source was not known is the same load, named."""
    if writes and writes[-1].kind is Kind.LOADED and writes[-1].by == UNNAMED:
        return (*writes[:-1], load)
    return (*writes, load)


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
