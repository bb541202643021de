"""What arguments a class or function takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Arguments:
    """The arguments that can be given by name.

    Args:
        names: All of them, those of base classes that ``**kwargs`` reaches included.
        required: Those without a default, and positional-only ones, which no config can give.
        any_name: Whether a ``**kwargs`` takes every name.
    """

    names: tuple[str, ...]
    required: tuple[str, ...]
    any_name: bool


def arguments(target: Any) -> Arguments | None:
    """Read the arguments off a class, function or partial.

    Args:
        target: What is to be called.

    Returns:
        The arguments; None if it does not tell (some built-in functions).
    """
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return None
    names = [one.name for one in parameters if one.kind in _BY_NAME]
    required = [
        one.name
        for one in parameters
        if one.default is one.empty and one.kind in (*_BY_NAME, _POSITIONAL_ONLY)
    ]
    any_name = any(one.kind is one.VAR_KEYWORD for one in parameters)
    if any_name and isinstance(target, type):
        names += _inherited(target)
    return Arguments(tuple(dict.fromkeys(names)), tuple(required), any_name)


def _inherited(cls: type) -> list[str]:
    """List the arguments of the constructors that ``**kwargs`` is handed on to."""
    names = []
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        try:
            parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        except (TypeError, ValueError):  # built in
            break
        names += [one.name for one in parameters if one.kind in _BY_NAME]
        if all(one.kind is not one.VAR_KEYWORD for one in parameters):
            break  # nothing is handed on from here
    return names


def misfits(target: Any, given: Iterable[str], error: str) -> tuple[list[str], tuple[str, ...]]:
    """Find the arguments that a failed call did not take.

    Args:
        target: What was called.
        given: The names of the keyword arguments.
        error: The text of the TypeError; it tells which name a ``**kwargs`` has handed on to
            somebody who did not take it.

    Returns:
        The names not taken, and all the names that would have been.
    """
    takes = arguments(target)
    if takes is None:
        return [], ()
    if not takes.any_name:
        return [name for name in given if name not in takes.names], takes.names
    refused = re.search(r"unexpected keyword argument '(\w+)'", error)
    return [name for name in given if refused and name == refused[1]], takes.names
