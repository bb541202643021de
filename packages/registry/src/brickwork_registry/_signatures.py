"""Arguments that a class or function accepts."""

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
    """The keyword arguments of a class or function.

    Attributes:
        names: All names, including those of base classes that ``**kwargs`` is passed on to.
        required: Names without a default, including positional-only ones, which no config can
            provide.
        any_name: Whether ``**kwargs`` accepts every name.
    """

    names: tuple[str, ...]
    required: tuple[str, ...]
    any_name: bool


def arguments_of(target: Any) -> Arguments | None:
    """Return the arguments of a class, function or partial.

    Args:
        target: The class, function or partial.

    Returns:
        The arguments; None if it has no signature, as some built-in functions.
    """
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return None
    names = [parameter.name for parameter in parameters if parameter.kind in _BY_NAME]
    required = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty and parameter.kind in (*_BY_NAME, _POSITIONAL_ONLY)
    ]
    any_name = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    if any_name and isinstance(target, type):
        names += _inherited(target)
    return Arguments(tuple(dict.fromkeys(names)), tuple(required), any_name)


def _inherited(cls: type) -> list[str]:
    """Return the arguments of the constructors that ``**kwargs`` is passed on to."""
    names = []
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        try:
            parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        except (TypeError, ValueError):  # built in
            break
        names += [parameter.name for parameter in parameters if parameter.kind in _BY_NAME]
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
            break
    return names


def refused_arguments(
    target: Any, names: Iterable[str], message: str
) -> tuple[list[str], tuple[str, ...]]:
    """Find the arguments that a failed call did not accept.

    Args:
        target: What was called.
        names: The names of the keyword arguments.
        message: Message of the TypeError; it names the argument that ``**kwargs`` passed on to a
            function that does not accept it.

    Returns:
        The names that were not accepted, and the valid names.
    """
    arguments = arguments_of(target)
    if arguments is None:
        return [], ()
    if not arguments.any_name:
        return [name for name in names if name not in arguments.names], arguments.names
    refused = re.search(r"unexpected keyword argument '(\w+)'", message)
    return [name for name in names if refused and name == refused[1]], arguments.names
