"""Find, download, verify, list and load model weights; needs no torch until it loads."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the same names as the table below, for type checkers and editors
    from ._download import download as download
    from ._resource import Resource as Resource
    from ._uri import register_scheme as register_scheme
    from ._uri import resolve as resolve
    from .errors import ZooError as ZooError

__version__ = "0.1.0"

# Name -> the module it comes from, imported at first use (PEP 562): the package itself then costs
# no import of requests, and whoever only downloads never imports torch.
_EXPORTS = {
    "Resource": "_resource",
    "ZooError": "errors",
    "download": "_download",
    "register_scheme": "_uri",
    "resolve": "_uri",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
