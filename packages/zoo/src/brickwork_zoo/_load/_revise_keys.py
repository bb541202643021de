"""Rewriting a checkpoint's own keys to a model's names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from brickwork_zoo.errors import InvalidInputError

Rule: TypeAlias = "tuple[str | re.Pattern[str], str] | Callable[[str], str | None]"
ReviseKeys: TypeAlias = "Sequence[Rule] | Callable[[str], str | None]"

STRIP_MODULE: tuple[Rule, ...] = ((r"^module\.", ""),)


def revise(keys: Iterable[str], rules: ReviseKeys) -> dict[str, str]:
    r"""Apply every rule to every key, in order.

    Args:
        keys: The keys of a state dict.
        rules: A callable ``key -> new key`` (``None`` drops the key), or a sequence of such
            callables and of pairs ``(regular expression, replacement)`` as :func:`re.sub`
            takes them, for example ``[(r'^module\.', '')]``.

    Returns:
        New key -> original key, in the order of ``keys``.

    Raises:
        InvalidInputError: Two keys end up the same; loading either would be a guess.
        TypeError: A rule is neither a pair of strings nor a callable, or returns no string.
        ValueError: A pattern or its replacement is no valid regular expression.
    """
    steps = [_step(rule) for rule in ([rules] if callable(rules) else rules)]
    revised: dict[str, str] = {}
    for key in keys:
        new: str | None = key
        for step in steps:
            new = None if new is None else step(new)
        if new is None:
            continue
        if new in revised:
            raise InvalidInputError(
                f"revise_keys turns both {revised[new]!r} and {key!r} into {new!r}; "
                "narrow the patterns, or drop one key with a callable that returns None for it"
            )
        revised[new] = key
    return revised


def _step(rule: Rule) -> Callable[[str], str | None]:
    if callable(rule):
        return lambda key: _checked(rule(key), key)
    if isinstance(rule, str) or not isinstance(rule, Sequence) or len(rule) != 2:
        raise TypeError(
            f"revise_keys takes (pattern, replacement) pairs or callables, not {rule!r}; "
            r"for example [(r'^module\.', '')]"
        )
    pattern, replacement = rule
    try:
        compiled = re.compile(pattern)
        compiled.sub(replacement, "")
    except re.error as error:
        raise ValueError(f"revise_keys: {rule!r} is no regular expression: {error}") from error
    return lambda key: compiled.sub(replacement, key)


def _checked(new: object, key: str) -> str | None:
    if new is None or isinstance(new, str):
        return new
    raise TypeError(f"revise_keys: the callable returned {new!r} for {key!r}, not a string or None")


def under_prefix(keys: Iterable[str], prefix: str) -> dict[str, str]:
    """The keys below ``prefix`` without it.

    Args:
        keys: The keys of a state dict.
        prefix: A submodule's name, with or without the final dot.

    Returns:
        Shortened key -> original key; empty when there is nothing below ``prefix``.
    """
    head = prefix if prefix.endswith(".") or not prefix else f"{prefix}."
    return {key[len(head) :]: key for key in keys if key.startswith(head) and key != head}


def chain(last: Mapping[str, str], first: Mapping[str, str]) -> dict[str, str]:
    """Compose two renamings: ``last`` maps to keys that ``first`` maps further back."""
    return {new: first[old] for new, old in last.items()}
