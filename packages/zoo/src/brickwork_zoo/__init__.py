"""Find, download, verify, list and load model weights; needs no torch until it loads."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the same names as the table below, for type checkers and editors
    from ._catalog import Model as Model
    from ._catalog import find_model as find_model
    from ._catalog import list_models as list_models
    from ._download import download as download
    from ._links import Link as Link
    from ._links import check_links as check_links
    from ._prefetch import prefetch as prefetch
    from ._resource import Resource as Resource
    from ._uri import register_scheme as register_scheme
    from ._uri import resolve as resolve
    from ._verify import Verified as Verified
    from ._verify import verify as verify
    from .errors import ZooError as ZooError

__version__ = "0.1.0"

# Name -> the module it comes from, imported at first use (PEP 562): the package itself then costs
# no import of requests, and whoever only downloads never imports torch.
_EXPORTS = {
    "Link": "_links",
    "Model": "_catalog",
    "Resource": "_resource",
    "Verified": "_verify",
    "ZooError": "errors",
    "check_links": "_links",
    "download": "_download",
    "find_model": "_catalog",
    "list_models": "_catalog",
    "prefetch": "_prefetch",
    "register_scheme": "_uri",
    "resolve": "_uri",
    "verify": "_verify",
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
