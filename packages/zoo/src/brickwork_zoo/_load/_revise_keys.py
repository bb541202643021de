"""Renaming the keys of a checkpoint to the names of a model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from brickwork_zoo.errors import InvalidInputError

Rule: TypeAlias = "tuple[str | re.Pattern[str], str] | Callable[[str], str | None]"
ReviseKeys: TypeAlias = "Sequence[Rule] | Callable[[str], str | None]"

STRIP_MODULE: tuple[Rule, ...] = ((r"^module\.", ""),)


def revise(keys: Iterable[str], rules: ReviseKeys) -> dict[str, str]:
    r"""Apply every rule to every key, in order.

    Args:
        keys: The keys of a state dict.
        rules: A callable ``key -> new key`` (None drops the key), or a sequence of such callables
            and of pairs ``(regular expression, replacement)`` as for :func:`re.sub`, for example
            ``[(r'^module\.', '')]``.

    Returns:
        New key -> original key, in the order of ``keys``.

    Raises:
        InvalidInputError: If two keys become the same.
        TypeError: If a rule is neither a pair of strings nor a callable, or a callable returns
            neither a string nor None.
        ValueError: If a pattern or its replacement is not a valid regular expression.
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
                f"revise_keys renames both {revised[new]!r} and {key!r} to {new!r}; narrow the "
                "patterns, or drop one of the keys with a callable that returns None for it"
            )
        revised[new] = key
    return revised


def _step(rule: Rule) -> Callable[[str], str | None]:
    if callable(rule):
        return lambda key: _checked(rule(key), key)
    if isinstance(rule, str) or not isinstance(rule, Sequence) or len(rule) != 2:
        raise TypeError(
            r"a rule of revise_keys must be a pair such as (r'^module\.', '') or a callable, "
            f"got {rule!r}"
        )
    pattern, replacement = rule
    try:
        compiled = re.compile(pattern)
        compiled.sub(replacement, "")
    except re.error as error:
        raise ValueError(
            f"the rule {rule!r} of revise_keys is not a valid regular expression: {error}"
        ) from error
    return lambda key: compiled.sub(replacement, key)


def _checked(new: object, key: str) -> str | None:
    if new is None or isinstance(new, str):
        return new
    raise TypeError(
        f"a callable of revise_keys must return a string or None, got {new!r} for {key!r}"
    )


def under_prefix(keys: Iterable[str], prefix: str) -> dict[str, str]:
    """Return key without the prefix -> original key, for the keys that have the prefix."""
    head = prefix if prefix.endswith(".") or not prefix else f"{prefix}."
    return {key[len(head) :]: key for key in keys if key.startswith(head) and key != head}
