"""Functions that say at once which package, module or program they lack."""

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
    """Make a decorator: the function runs only where all it needs is there.

    Args:
        prerequisites: What it needs, one name or several.
        checker: Tells whether one of them is there.
        msg_tmpl: The message, with places for what is missing and for the function's name.

    Returns:
        The decorator; the function raises RuntimeError where something is missing.
    """
    needed = [prerequisites] if isinstance(prerequisites, str) else list(prerequisites)

    def decorate(func: F) -> F:
        @functools.wraps(func)
        def checked(*args: Any, **kwargs: Any) -> Any:
            missing = [name for name in needed if not checker(name)]
            if missing:
                raise RuntimeError(msg_tmpl.format(", ".join(missing), func.__name__))
            return func(*args, **kwargs)

        return checked  # type: ignore[return-value]  # functools.wraps keeps the signature

    return decorate


def requires_package(prerequisites: str | Sequence[str]) -> Callable[[F], F]:
    """Make a decorator: the function runs only where these Python packages are installed."""
    return check_prerequisites(prerequisites, checker=_has_package)


def requires_executable(prerequisites: str | Sequence[str]) -> Callable[[F], F]:
    """Make a decorator: the function runs only where these programs are on the path."""
    return check_prerequisites(prerequisites, checker=lambda name: shutil.which(name) is not None)


def _has_package(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of the package that would hold it
        return False


def import_modules_from_strings(
    imports: str | list[str] | None, allow_failed_imports: bool = False
) -> ModuleType | list[ModuleType | None] | None:
    """Import modules by name.

    Args:
        imports: One name, or a list; None or nothing imports nothing.
        allow_failed_imports: Whether a module that fails to import is None, with a warning.

    Returns:
        The module, or the list of them.

    Raises:
        TypeError: If a name is no string.
        ImportError: If a module fails to import.
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
            warnings.warn(f"{name} failed to import and is left out: {error}", stacklevel=2)
            modules.append(None)
    return modules[0] if isinstance(imports, str) else modules
