"""Choosing the state dict within a checkpoint. Needs torch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast

from torch import Tensor

from brickwork_zoo.errors import CheckpointError

from ._revise_keys import ReviseKeys, chain, revise, under_prefix

StateDict: TypeAlias = "OrderedDict[str, Any]"


def state_dict_of(pairs: Iterable[tuple[str, Any]], versions: Mapping[str, Any]) -> StateDict:
    """Make a state dict: an ordinary one, so that what is saved of it loads anywhere.

    Args:
        pairs: Keys and tensors.
        versions: Module name -> its version and the like.

    Returns:
        An ordered dict with the versions as its ``_metadata``, where torch looks for them.
    """
    state_dict = OrderedDict(pairs)
    state_dict._metadata = versions  # type: ignore[attr-defined]  # torch's own way
    return state_dict


def find_state_dict(checkpoint: Any, source: str, entry: str | None = None) -> Mapping[str, Any]:
    """Find the state dict in what a file holds.

    Args:
        checkpoint: What a file holds.
        source: File or URI to name in errors.
        entry: The key under which it is kept; by default ``state_dict``, else the whole
            checkpoint if it holds tensors, else the only entry that does.

    Returns:
        The state dict.

    Raises:
        CheckpointError: There is none, or there are several to choose from.
    """
    if not isinstance(checkpoint, Mapping):
        raise CheckpointError(
            f"no state dict in {source}: it holds a {type(checkpoint).__name__}", uri=source
        )
    if entry is not None:
        if isinstance(checkpoint.get(entry), Mapping):
            return cast("Mapping[str, Any]", checkpoint[entry])
        raise CheckpointError(
            f"no state dict under {entry!r} in {source}; it has {_shown(checkpoint)}", uri=source
        )
    if isinstance(checkpoint.get("state_dict"), Mapping):
        return cast("Mapping[str, Any]", checkpoint["state_dict"])
    if not checkpoint or any(isinstance(value, Tensor) for value in checkpoint.values()):
        return checkpoint
    inner = [key for key, value in checkpoint.items() if _is_state_dict(value)]
    if len(inner) == 1:
        return cast("Mapping[str, Any]", checkpoint[inner[0]])
    choice = f"choose by entry=: {', '.join(map(repr, inner))}" if inner else _shown(checkpoint)
    raise CheckpointError(f"no state dict found in {source}; it has {choice}", uri=source)


def _is_state_dict(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(one, Tensor) for one in value.values())


def _shown(checkpoint: Mapping[str, Any]) -> str:
    return "the entries " + ", ".join(repr(key) for key in list(checkpoint)[:20])


def select(
    checkpoint: Any,
    source: str,
    *,
    prefix: str | None = None,
    entry: str | None = None,
    revise_keys: ReviseKeys = (),
) -> tuple[StateDict, dict[str, str]]:
    """Choose the state dict within a checkpoint and rename its keys.

    Args:
        checkpoint: What a file holds.
        source: File or URI to name in errors.
        prefix: Only what lies below this name.
        entry: See :func:`find_state_dict`.
        revise_keys: Rules for the keys.

    Returns:
        The state dict with its new keys, and new key -> key in the file.

    Raises:
        CheckpointError: There is no state dict, or nothing below ``prefix``.
    """
    found = find_state_dict(checkpoint, source, entry)
    if odd := [key for key in found if not isinstance(key, str)]:
        raise CheckpointError(f"{source}: keys must be strings, not {odd[:5]!r}", uri=source)
    names = {key: key for key in found}
    if prefix:
        names = under_prefix(found, prefix)
        if not names:
            heads = dict.fromkeys(key.partition(".")[0] for key in found)
            raise CheckpointError(
                f"{prefix!r} is not in {source}: its keys begin with "
                + ", ".join(map(repr, list(heads)[:20])),
                uri=source,
            )
    names = chain(revise(names, revise_keys), names)
    versions = _metadata(getattr(found, "_metadata", None), names)
    return state_dict_of(((new, found[old]) for new, old in names.items()), versions), names


def _metadata(old: object, names: Mapping[str, str]) -> dict[str, Any]:
    """The modules' versions under the names that their tensors' new keys imply."""
    if not isinstance(old, Mapping):
        return {}
    moved: dict[str, Any] = {}
    for new_key, old_key in names.items():
        for new_module, old_module in zip(_owners(new_key), _owners(old_key), strict=False):
            facts = old.get(old_module)
            if isinstance(facts, dict) and isinstance(facts.get("version", 1), int):
                moved.setdefault(new_module, facts)
    return moved


def _owners(key: str) -> Iterator[str]:
    """The modules that a key lies in, innermost first."""
    while key:
        key = key.rpartition(".")[0]
        yield key
