"""Choosing the state dict in a checkpoint and renaming its keys. Needs torch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from torch import Tensor

from brickwork_zoo.errors import CheckpointError

from ._module_tree import EXTRA_STATE
from ._revise_keys import ReviseKeys, revise, under_prefix

StateDict: TypeAlias = "OrderedDict[str, Any]"


def state_dict_of(pairs: Iterable[tuple[str, Any]], versions: Mapping[str, Any]) -> StateDict:
    """Return an ordered dict with `versions` as ``_metadata``, like the state dicts of torch."""
    state_dict = OrderedDict(pairs)
    state_dict._metadata = versions  # type: ignore[attr-defined]  # as torch does
    return state_dict


@dataclass(frozen=True)
class Selection:
    """The state dict of a checkpoint, with its keys renamed.

    Attributes:
        state_dict: New key -> tensor.
        source: File or URI, for messages.
        file_keys: New key -> key in the file.
        unrevised_keys: New key -> key without the prefix, before ``revise_keys``; empty for a
            state dict that the caller selected.
    """

    state_dict: Mapping[str, Any]
    source: str | None
    file_keys: Mapping[str, str]
    unrevised_keys: Mapping[str, str]


def select_state_dict(
    checkpoint: Any,
    *,
    prefix: str | None = None,
    entry: str | None = None,
    revise_keys: ReviseKeys = (),
    source: str = "the checkpoint",
) -> StateDict:
    r"""Return the state dict of a checkpoint.

    Args:
        checkpoint: The checkpoint, see :func:`read_checkpoint`.
        prefix: Select only the keys with this prefix, and remove it.
        entry: Key of the state dict in the checkpoint. Default: ``state_dict`` if the checkpoint
            has it, otherwise the checkpoint itself if it contains tensors, otherwise its only
            entry with tensors.
        revise_keys: Rules that rename keys: pairs ``(regular expression, replacement)``, callables
            ``key -> key`` (None drops it), or one callable.
        source: File or URI to name in errors.

    Returns:
        Key -> tensor, with the versions of the modules as ``_metadata``.

    Raises:
        CheckpointError: If there is no state dict, more than one, or no key with ``prefix``.
    """
    selection = select(checkpoint, source, prefix=prefix, entry=entry, revise_keys=revise_keys)
    return cast("StateDict", selection.state_dict)


def select(
    checkpoint: Any,
    source: str,
    *,
    prefix: str | None = None,
    entry: str | None = None,
    revise_keys: ReviseKeys = (),
) -> Selection:
    """Select the state dict of a checkpoint; see :func:`select_state_dict`."""
    state_dict = find_state_dict(checkpoint, source, entry)
    check_keys(state_dict, source)
    below = under_prefix(state_dict, prefix) if prefix else {key: key for key in state_dict}
    if prefix and not below:
        first_parts = dict.fromkeys(key.partition(".")[0] for key in state_dict)
        raise CheckpointError(
            f"no key of {source} begins with the prefix {prefix!r}; its keys begin with "
            + ", ".join(map(repr, list(first_parts)[:20])),
            uri=source,
        )
    unrevised = revise(below, revise_keys)
    file_keys = {new: below[old] for new, old in unrevised.items()}
    versions = _moved_versions(getattr(state_dict, "_metadata", None), file_keys)
    pairs = ((new, state_dict[key]) for new, key in file_keys.items())
    return Selection(state_dict_of(pairs, versions), source, file_keys, unrevised)


def find_state_dict(checkpoint: Any, source: str, entry: str | None = None) -> Mapping[str, Any]:
    """Return the state dict in a checkpoint; see :func:`select_state_dict`."""
    if not isinstance(checkpoint, Mapping):
        raise CheckpointError(
            f"{source} has no state dict: it holds a {type(checkpoint).__name__}, expected a dict",
            uri=source,
        )
    if entry is not None:
        if isinstance(checkpoint.get(entry), Mapping):
            return cast("Mapping[str, Any]", checkpoint[entry])
        raise CheckpointError(
            f"{source} has no state dict under entry={entry!r}; its entries are "
            f"{_listed(checkpoint)}",
            uri=source,
        )
    if isinstance(checkpoint.get("state_dict"), Mapping):
        return cast("Mapping[str, Any]", checkpoint["state_dict"])
    inner = [key for key, value in checkpoint.items() if _is_state_dict(key, value)]
    has_tensors = any(isinstance(value, Tensor) for value in checkpoint.values())
    if not inner and (has_tensors or not checkpoint):
        return checkpoint
    if not inner:
        raise CheckpointError(
            f"{source} has no state dict: none of its entries holds tensors "
            f"({_listed(checkpoint)})",
            uri=source,
        )
    if len(inner) > 1 or has_tensors:
        choices = " or ".join(f"entry={key!r}" for key in inner[:20])
        beside = "more than one state dict" if len(inner) > 1 else "a state dict beside tensors"
        raise CheckpointError(f"{source} has {beside}: pass {choices}", uri=source)
    return cast("Mapping[str, Any]", checkpoint[inner[0]])


def check_keys(state_dict: object, source: str) -> None:
    """Raise :class:`CheckpointError` unless a state dict is a mapping with strings as keys."""
    if not isinstance(state_dict, Mapping):
        raise CheckpointError(
            f"{source} must be a mapping of names to tensors, got a {type(state_dict).__name__}",
            uri=source,
        )
    if invalid := [key for key in state_dict if not isinstance(key, str)]:
        raise CheckpointError(
            f"the keys of a state dict must be strings, got {invalid[:5]!r} in {source}", uri=source
        )


def _is_state_dict(key: object, value: object) -> bool:
    if isinstance(key, str) and key.rpartition(".")[2] == EXTRA_STATE:
        return False
    return isinstance(value, Mapping) and any(isinstance(v, Tensor) for v in value.values())


def _listed(checkpoint: Mapping[str, Any]) -> str:
    return ", ".join(repr(key) for key in list(checkpoint)[:20])


def _moved_versions(versions: object, file_keys: Mapping[str, str]) -> dict[str, Any]:
    """Return the versions by new module names, which follow from the renamed keys of tensors."""
    if not isinstance(versions, Mapping):
        return {}
    moved: dict[str, Any] = {}
    for new_key, old_key in file_keys.items():
        for new_module, old_module in zip(_owners(new_key), _owners(old_key), strict=False):
            facts = versions.get(old_module)
            if isinstance(facts, dict) and isinstance(facts.get("version", 1), int):
                moved.setdefault(new_module, facts)
    return moved


def _owners(key: str) -> Iterator[str]:
    """Yield the names of the modules that contain a key, innermost first."""
    while key:
        key = key.rpartition(".")[0]
        yield key
