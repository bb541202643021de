"""Find, download, verify, list and load model weights; needs no torch until it loads."""

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
    from ._formats._safe_pickle._opaque_object import Inert as Inert
    from ._load._adapters import Adapter as Adapter
    from ._load._adapters import adapt_classes as adapt_classes
    from ._load._adapters import adapt_input_channels as adapt_input_channels
    from ._load._adapters import adapt_position_embedding as adapt_position_embedding
    from ._load._checkpoint_loader import CheckpointLoader as CheckpointLoader
    from ._load._checkpoint_loader import load_from_http as load_from_http
    from ._load._checkpoint_loader import load_from_local as load_from_local
    from ._load._checkpoint_loader import load_from_mmcls as load_from_mmcls
    from ._load._checkpoint_loader import load_from_openmmlab as load_from_openmmlab
    from ._load._checkpoint_loader import load_from_torchvision as load_from_torchvision
    from ._load._load_checkpoint import load_checkpoint as load_checkpoint
    from ._load._load_checkpoint import load_model as load_model
    from ._load._load_report import LoadReport as LoadReport
    from ._load._load_report import Mismatch as Mismatch
    from ._load._load_state_dict import load_state_dict as load_state_dict
    from ._load._mmcv import _load_checkpoint as _load_checkpoint
    from ._load._mmcv import _load_checkpoint_to_model as _load_checkpoint_to_model
    from ._load._mmcv import _load_checkpoint_with_prefix as _load_checkpoint_with_prefix
    from ._load._mmcv import get_deprecated_model_names as get_deprecated_model_names
    from ._load._mmcv import get_external_models as get_external_models
    from ._load._mmcv import get_mmcls_models as get_mmcls_models
    from ._load._mmcv import get_torchvision_models as get_torchvision_models
    from ._load._prefetch import prefetch as prefetch
    from ._load._pretrained import PretrainedInit as PretrainedInit
    from ._save._convert import convert as convert
    from ._save._get_state_dict import get_state_dict as get_state_dict
    from ._save._get_state_dict import weights_to_cpu as weights_to_cpu
    from ._save._save_checkpoint import save_checkpoint as save_checkpoint
    from .errors import ZooError as ZooError

__version__ = "0.1.0"

# Name -> the module it comes from, imported at first use (PEP 562): the package itself then costs
# no import of requests, and whoever only downloads never imports torch.
_EXPORTS = {
    "_load_checkpoint": "_load._mmcv",
    "_load_checkpoint_to_model": "_load._mmcv",
    "_load_checkpoint_with_prefix": "_load._mmcv",
    "Adapter": "_load._adapters",
    "CheckpointLoader": "_load._checkpoint_loader",
    "Inert": "_formats._safe_pickle._opaque_object",
    "Inspection": "_formats._inspect",
    "Link": "_fetch._links",
    "LoadReport": "_load._load_report",
    "Mismatch": "_load._load_report",
    "Model": "_find._models",
    "PretrainedInit": "_load._pretrained",
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
    "get_deprecated_model_names": "_load._mmcv",
    "get_external_models": "_load._mmcv",
    "get_mmcls_models": "_load._mmcv",
    "get_state_dict": "_save._get_state_dict",
    "get_torchvision_models": "_load._mmcv",
    "inspect": "_formats._inspect",
    "list_models": "_find._models",
    "load_checkpoint": "_load._load_checkpoint",
    "load_from_http": "_load._checkpoint_loader",
    "load_from_local": "_load._checkpoint_loader",
    "load_from_mmcls": "_load._checkpoint_loader",
    "load_from_openmmlab": "_load._checkpoint_loader",
    "load_from_torchvision": "_load._checkpoint_loader",
    "load_model": "_load._load_checkpoint",
    "load_state_dict": "_load._load_state_dict",
    "prefetch": "_load._prefetch",
    "register_scheme": "_find._scheme",
    "resolve": "_find._resolve",
    "save_checkpoint": "_save._save_checkpoint",
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
        if error.name not in ("torch", "brickwork_init", "safetensors"):
            raise
        from .errors import MissingDependencyError  # as lazily as everything else

        raise MissingDependencyError(
            f"{name} needs {error.name}: pip install 'brickwork-zoo[torch]'", package=error.name
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
