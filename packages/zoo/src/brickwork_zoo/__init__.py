"""Find, download, verify, list and load model weights; only loading and saving need torch."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the same names as the table below, for type checkers and editors
    from ._fetch._download import download as download
    from ._fetch._links import Link as Link
    from ._fetch._links import check_links as check_links
    from ._fetch._verify import Verified as Verified
    from ._fetch._verify import verify as verify
    from ._find._models import Model as Model
    from ._find._models import find_model as find_model
    from ._find._models import list_models as list_models
    from ._find._resolve import resolve as resolve
    from ._find._resource import Resource as Resource
    from ._find._scheme import register_scheme as register_scheme
    from ._formats._inspect import Inspection as Inspection
    from ._formats._inspect import inspect as inspect
    from ._formats._safe_pickle._opaque_object import OpaqueObject as OpaqueObject
    from ._load._adapters import Adapter as Adapter
    from ._load._adapters import adapt_classes as adapt_classes
    from ._load._adapters import adapt_input_channels as adapt_input_channels
    from ._load._adapters import adapt_position_embedding as adapt_position_embedding
    from ._load._load_checkpoint import load_checkpoint as load_checkpoint
    from ._load._load_model import load_model as load_model
    from ._load._load_options import LoadOptions as LoadOptions
    from ._load._load_options import PretrainedOptions as PretrainedOptions
    from ._load._load_report import LoadReport as LoadReport
    from ._load._load_report import Mismatch as Mismatch
    from ._load._load_state_dict import load_state_dict as load_state_dict
    from ._load._prefetch import prefetch as prefetch
    from ._load._pretrained import PretrainedInit as PretrainedInit
    from ._load._read_checkpoint import read_checkpoint as read_checkpoint
    from ._load._select_state_dict import select_state_dict as select_state_dict
    from ._save._convert import convert as convert
    from ._save._get_state_dict import get_state_dict as get_state_dict
    from ._save._get_state_dict import weights_to_cpu as weights_to_cpu
    from ._save._save_checkpoint import save_checkpoint as save_checkpoint
    from .errors import ZooError as ZooError

__version__ = "0.1.0"

# Name -> its module, imported on first use (PEP 562): importing the package imports neither
# requests nor torch, and downloading imports no torch.
_EXPORTS = {
    "Adapter": "_load._adapters",
    "Inspection": "_formats._inspect",
    "Link": "_fetch._links",
    "LoadOptions": "_load._load_options",
    "LoadReport": "_load._load_report",
    "Mismatch": "_load._load_report",
    "Model": "_find._models",
    "OpaqueObject": "_formats._safe_pickle._opaque_object",
    "PretrainedInit": "_load._pretrained",
    "PretrainedOptions": "_load._load_options",
    "Resource": "_find._resource",
    "Verified": "_fetch._verify",
    "ZooError": "errors",
    "adapt_classes": "_load._adapters",
    "adapt_input_channels": "_load._adapters",
    "adapt_position_embedding": "_load._adapters",
    "check_links": "_fetch._links",
    "convert": "_save._convert",
    "download": "_fetch._download",
    "find_model": "_find._models",
    "get_state_dict": "_save._get_state_dict",
    "inspect": "_formats._inspect",
    "list_models": "_find._models",
    "load_checkpoint": "_load._load_checkpoint",
    "load_model": "_load._load_model",
    "load_state_dict": "_load._load_state_dict",
    "prefetch": "_load._prefetch",
    "read_checkpoint": "_load._read_checkpoint",
    "register_scheme": "_find._scheme",
    "resolve": "_find._resolve",
    "save_checkpoint": "_save._save_checkpoint",
    "select_state_dict": "_load._select_state_dict",
    "verify": "_fetch._verify",
    "weights_to_cpu": "_save._get_state_dict",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "brickwork_init"):
            raise
        from .errors import MissingDependencyError  # imported lazily, like all names of the package

        raise MissingDependencyError(
            f"{name} needs {error.name}: pip install 'brickwork-zoo[torch]'", package=error.name
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
