"""Decorators for functions that need packages or programs, and imports by name."""

import functools
import importlib
import importlib.util
import shutil
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def check_prerequisites(
    prerequisites: str | Sequence[str],
    checker: Callable[[str], bool],
    msg_tmpl: str = '{} needed by "{}" not found; install them first',
) -> Callable[[F], F]:
    """Return a decorator that checks prerequisites before each call.

    Args:
        prerequisites: One name or several.
        checker: Function that returns whether one of them is available.
        msg_tmpl: Message with fields for the missing names and the function's name.

    Returns:
        The decorator. The function raises RuntimeError if something is missing.
    """
    names = [prerequisites] if isinstance(prerequisites, str) else list(prerequisites)

    def decorate(func: F) -> F:
        @functools.wraps(func)
        def checked(*args: Any, **kwargs: Any) -> Any:
            missing = [name for name in names if not checker(name)]
            if missing:
                raise RuntimeError(msg_tmpl.format(", ".join(missing), func.__name__))
            return func(*args, **kwargs)

        return checked  # type: ignore[return-value]  # functools.wraps keeps the signature

    return decorate


def requires_package(prerequisites: str | Sequence[str]) -> Callable[[F], F]:
    """Return a decorator that requires Python packages."""
    return check_prerequisites(prerequisites, checker=_has_package)


def requires_executable(prerequisites: str | Sequence[str]) -> Callable[[F], F]:
    """Return a decorator that requires programs on the PATH."""
    return check_prerequisites(prerequisites, checker=lambda name: shutil.which(name) is not None)


def _has_package(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the parent package
        return False


def import_modules_from_strings(
    imports: str | list[str] | None, allow_failed_imports: bool = False
) -> ModuleType | list[ModuleType | None] | None:
    """Import modules by name.

    Args:
        imports: A name or a list of names; nothing is imported if it is None or empty.
        allow_failed_imports: Whether a failed import gives None and a warning.

    Returns:
        The module or the list of modules.

    Raises:
        TypeError: If a name is not a string.
        ImportError: If an import fails.
    """
    if not imports:
        return None
    names = [imports] if isinstance(imports, str) else imports
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"imports must be a name or a list of names, got {imports!r}")
    modules: list[ModuleType | None] = []
    for name in names:
        try:
            modules.append(importlib.import_module(name))
        except ImportError as error:
            if not allow_failed_imports:
                raise
            warnings.warn(f"{name} failed to import and is skipped: {error}", stacklevel=2)
            modules.append(None)
    return modules[0] if isinstance(imports, str) else modules
