"""Find, download, verify, list and load model weights; needs no torch until it loads."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the same names as the table below, for type checkers and editors
    from ._adapters import Adapter as Adapter
    from ._adapters import adapt_classes as adapt_classes
    from ._adapters import adapt_input_channels as adapt_input_channels
    from ._adapters import adapt_position_embedding as adapt_position_embedding
    from ._catalog import Model as Model
    from ._catalog import find_model as find_model
    from ._catalog import list_models as list_models
    from ._checkpoint import load_checkpoint as load_checkpoint
    from ._checkpoint import load_model as load_model
    from ._convert import convert as convert
    from ._data import Inert as Inert
    from ._download import download as download
    from ._inspect import Inspection as Inspection
    from ._inspect import inspect as inspect
    from ._links import Link as Link
    from ._links import check_links as check_links
    from ._loader import CheckpointLoader as CheckpointLoader
    from ._loader import load_from_http as load_from_http
    from ._loader import load_from_local as load_from_local
    from ._loader import load_from_mmcls as load_from_mmcls
    from ._loader import load_from_openmmlab as load_from_openmmlab
    from ._loader import load_from_torchvision as load_from_torchvision
    from ._loading import load_state_dict as load_state_dict
    from ._mmcv import _load_checkpoint as _load_checkpoint
    from ._mmcv import _load_checkpoint_to_model as _load_checkpoint_to_model
    from ._mmcv import _load_checkpoint_with_prefix as _load_checkpoint_with_prefix
    from ._mmcv import get_deprecated_model_names as get_deprecated_model_names
    from ._mmcv import get_external_models as get_external_models
    from ._mmcv import get_mmcls_models as get_mmcls_models
    from ._mmcv import get_torchvision_models as get_torchvision_models
    from ._prefetch import prefetch as prefetch
    from ._pretrained import PretrainedInit as PretrainedInit
    from ._report import LoadReport as LoadReport
    from ._report import Mismatch as Mismatch
    from ._resource import Resource as Resource
    from ._save import save_checkpoint as save_checkpoint
    from ._state import get_state_dict as get_state_dict
    from ._state import weights_to_cpu as weights_to_cpu
    from ._uri import register_scheme as register_scheme
    from ._uri import resolve as resolve
    from ._verify import Verified as Verified
    from ._verify import verify as verify
    from .errors import ZooError as ZooError

__version__ = "0.1.0"

# Name -> the module it comes from, imported at first use (PEP 562): the package itself then costs
# no import of requests, and whoever only downloads never imports torch.
_EXPORTS = {
    "_load_checkpoint": "_mmcv",
    "_load_checkpoint_to_model": "_mmcv",
    "_load_checkpoint_with_prefix": "_mmcv",
    "Adapter": "_adapters",
    "CheckpointLoader": "_loader",
    "Inert": "_data",
    "Inspection": "_inspect",
    "Link": "_links",
    "LoadReport": "_report",
    "Mismatch": "_report",
    "Model": "_catalog",
    "PretrainedInit": "_pretrained",
    "Resource": "_resource",
    "Verified": "_verify",
    "ZooError": "errors",
    "adapt_classes": "_adapters",
    "adapt_input_channels": "_adapters",
    "adapt_position_embedding": "_adapters",
    "check_links": "_links",
    "convert": "_convert",
    "download": "_download",
    "find_model": "_catalog",
    "get_deprecated_model_names": "_mmcv",
    "get_external_models": "_mmcv",
    "get_mmcls_models": "_mmcv",
    "get_state_dict": "_state",
    "get_torchvision_models": "_mmcv",
    "inspect": "_inspect",
    "list_models": "_catalog",
    "load_checkpoint": "_checkpoint",
    "load_from_http": "_loader",
    "load_from_local": "_loader",
    "load_from_mmcls": "_loader",
    "load_from_openmmlab": "_loader",
    "load_from_torchvision": "_loader",
    "load_model": "_checkpoint",
    "load_state_dict": "_loading",
    "prefetch": "_prefetch",
    "register_scheme": "_uri",
    "resolve": "_uri",
    "save_checkpoint": "_save",
    "verify": "_verify",
    "weights_to_cpu": "_state",
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
