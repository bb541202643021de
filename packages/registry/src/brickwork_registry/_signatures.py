"""Arguments that a class or function accepts."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_NEEDED = (inspect.Parameter.POSITIONAL_ONLY, *_BY_NAME)


@dataclass(frozen=True)
class Arguments:
    """The keyword arguments of a class or function.

    Attributes:
        names: All names, including those that ``**kwargs`` is known to accept.
        required: Names without a default, including positional-only ones, which no config can
            provide.
        any_name: Whether ``**kwargs`` may accept other names.
    """

    names: tuple[str, ...]
    required: tuple[str, ...]
    any_name: bool


def arguments_of(target: Any) -> Arguments | None:
    """Return the arguments of a class, function or partial; None if it has no signature."""
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return None
    required = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.default is parameter.empty and parameter.kind in _NEEDED
    ]
    target = getattr(target, "func", target)  # a partial
    if isinstance(target, type):
        more, any_name = _constructor_arguments(target)
    else:
        more, any_name = _extra_arguments(target, signature)
    return Arguments(tuple(dict.fromkeys([*_named(signature), *more])), tuple(required), any_name)


def _named(signature: inspect.Signature) -> list[str]:
    return [name for name, parameter in signature.parameters.items() if parameter.kind in _BY_NAME]


def _constructor_arguments(cls: type) -> tuple[list[str], bool]:
    """Return the arguments of a constructor and of those that it passes ``**kwargs`` on to."""
    names: list[str] = []
    for base in cls.__mro__:
        init: Any = vars(base).get("__init__")
        if init is None or base is object:
            continue
        if (init.__module__, init.__qualname__) == ("torch.nn.modules.module", "Module.__init__"):
            return names, False  # accepts any keyword argument, to refuse it in its body
        try:
            signature = inspect.signature(init)
        except (TypeError, ValueError):  # built in
            return names, True
        more, any_name = _extra_arguments(init, signature)
        names += [*_named(signature)[1:], *more]
        if not any_name:
            return names, False
        var_keyword = _var_keyword(signature)
        if var_keyword is None or not _passes_on_to_super(init, var_keyword.name):
            return names, True
    return names, False


def _extra_arguments(function: Any, signature: inspect.Signature) -> tuple[list[str], bool]:
    """Return what ``**kwargs`` accepts by its annotation, and whether it may accept any name."""
    var_keyword = _var_keyword(signature)
    if var_keyword is None:
        return [], False
    annotation = var_keyword.annotation
    if isinstance(annotation, str):
        try:
            annotation = eval(annotation, getattr(function, "__globals__", {}))
        except Exception:  # a name that only type checkers import
            return [], True
    if typing.get_origin(annotation) is not typing.Unpack:
        return [], True
    return list(typing.get_args(annotation)[0].__annotations__), False


def _passes_on_to_super(init: Any, name: str) -> bool:
    """Check whether a constructor uses ``**kwargs`` only as ``super().__init__(..., **kwargs)``."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(init)))
    except (OSError, TypeError, SyntaxError):
        return False
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    passed = [
        keyword.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__"
        for keyword in node.keywords
        if keyword.arg is None
    ]
    return bool(uses) and all(use in passed for use in uses)


def _var_keyword(signature: inspect.Signature) -> inspect.Parameter | None:
    parameters = signature.parameters.values()
    return next((p for p in parameters if p.kind is p.VAR_KEYWORD), None)


def refused_arguments(
    target: Any, names: Iterable[str], message: str
) -> tuple[list[str], tuple[str, ...]]:
    """Return the names that a failed call did not accept, and the valid names.

    `message` is that of the TypeError: it names the argument that ``**kwargs`` passed on to a
    function that does not accept it.
    """
    arguments = arguments_of(target)
    if arguments is None:
        return [], ()
    if not arguments.any_name:
        return [name for name in names if name not in arguments.names], arguments.names
    refused = re.search(r"unexpected keyword argument '(\w+)'", message)
    return [name for name in names if refused and name == refused[1]], arguments.names
