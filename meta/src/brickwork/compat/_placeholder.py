"""Placeholders: names of mmcv that can be imported here and do nothing.

A placeholder is a class, so that it can be subclassed, registered, annotated with and pickled by
its name. Its metaclass raises `NotCoveredError` for every use that would need the real object.
"""

import atexit
import logging
import os
import sys
from abc import ABCMeta
from collections.abc import Callable
from types import FunctionType
from typing import Any, NoReturn

from .errors import NotCoveredError

_HERE = os.path.dirname(__file__)  # noqa: PTH120  # pathlib is slow to import
_FOLDERS = (f"{_HERE}{os.sep}mmcv1", f"{_HERE}{os.sep}mmcv2")
_IGNORED_FILES = ("<frozen importlib", _HERE)  # the import itself
_PLACEHOLDERS: dict[str, "Placeholder"] = {}


class Placeholder(ABCMeta):
    """The class of placeholders; an `ABCMeta`, so that they combine with abstract base classes."""

    full_name: str
    remedy: str
    importers: dict[str, None]  # an ordered set of `FILE:LINE`

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return a decorated class or function unchanged; raise for any other call."""
        if is_placeholder(cls) and _is_decorating(args, kwargs):
            return args[0]
        raise _error(cls)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):  # what Python and its tools look for
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        if name.startswith("register"):
            return _register
        raise _error(cls)

    def __iter__(cls) -> NoReturn:
        raise _error(cls)

    def __len__(cls) -> NoReturn:
        raise _error(cls)

    def __contains__(cls, item: object) -> NoReturn:
        raise _error(cls)

    def __getitem__(cls, key: object) -> NoReturn:
        raise _error(cls)

    def __enter__(cls) -> NoReturn:
        raise _error(cls)

    def __exit__(cls, *exception: object) -> NoReturn:
        raise _error(cls)

    def __bool__(cls) -> bool:
        return True  # although `__len__` is defined

    def __repr__(cls) -> str:
        if is_placeholder(cls):
            return f"<placeholder for {cls.full_name}>"
        return super().__repr__()


def is_placeholder(value: object) -> bool:
    """Return whether an object is a placeholder for a name of mmcv.

    Args:
        value: Any object. A subclass of a placeholder is not a placeholder itself.

    Returns:
        True if it is a placeholder.
    """
    return isinstance(value, Placeholder) and "full_name" in vars(value)


def placeholders() -> dict[str, list[str]]:
    """Return the placeholders that were imported, and who imported each.

    Returns:
        Full name → `FILE:LINE` of the import statements.
    """
    return {
        name: list(value.importers)
        for name, value in sorted(_PLACEHOLDERS.items())
        if value.importers
    }


def placeholder(module: str, name: str, remedy: str) -> Placeholder:
    """Return the placeholder for a name, and record who asks for it.

    Args:
        module: The module of mmcv that defines the name.
        name: The name.
        remedy: How to provide the real object, for `NotCoveredError`.

    Returns:
        The placeholder, one for each name.
    """
    full_name = f"{module}.{name}"
    if not _PLACEHOLDERS:
        atexit.register(_report)
    if full_name not in _PLACEHOLDERS:
        bases = (Exception,) if name.endswith("Error") else ()  # `except TimerError:` needs one
        _PLACEHOLDERS[full_name] = Placeholder(
            name,
            bases,
            {
                "__module__": module,
                "__doc__": f"Placeholder for `{full_name}`.",
                "full_name": full_name,
                "remedy": remedy,
                "importers": {},
            },
        )
    importer = _caller()
    if importer:
        _PLACEHOLDERS[full_name].importers[importer] = None
    return _PLACEHOLDERS[full_name]


def _is_decorating(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return len(args) == 1 and not kwargs and isinstance(args[0], type | FunctionType)


def _register(*args: Any, **kwargs: Any) -> Any:
    """Accept any registration: as a bare decorator, as one with arguments, or as a call."""
    if _is_decorating(args, kwargs):
        return args[0]
    decorate: Callable[[Any], Any] = lambda decorated: decorated  # noqa: E731
    return decorate


def _error(cls: Placeholder) -> NotCoveredError:
    importers = list(cls.importers)
    file = (_caller() or "").rpartition(":")[0]
    importers.sort(key=lambda importer: importer.rpartition(":")[0] != file)
    return NotCoveredError(cls.full_name, importers, cls.remedy)


def _caller() -> str | None:
    """Return `FILE:LINE` of the code that imports or uses a placeholder; None if it is ours."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename.startswith(_FOLDERS):
            return None
        if not frame.f_code.co_filename.startswith(_IGNORED_FILES):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
    return None


def _report() -> None:
    """Report the placeholders when the program ends."""
    imported = placeholders()
    if os.environ.get("BRICKWORK_COMPAT_NAMES"):
        for name, importers in imported.items():
            print(name, *importers, sep="\n    ")  # noqa: T201  # `--names` asks for it
    elif imported:
        logging.getLogger("brickwork.compat").warning(
            "%d names of mmcv were imported that nothing here provides; they are placeholders,"
            " which fail when used. `python -m brickwork.compat.mmcv --names` lists them",
            len(imported),
        )
