"""Seeds, names of training runs, and objects from dicts."""

import contextlib
import getpass
import importlib
import os
import random
import socket
import sys
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import torch

from .dist_utils import get_dist_info

__all__ = ["get_host_info", "get_time_str", "obj_from_dict", "set_random_seed"]


def get_host_info() -> str:
    """Return `user@host`, or an empty string if there is no such name (in some containers)."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError, ImportError):
        return ""


def get_time_str() -> str:
    """Return the local time as `20260131_235959`."""
    return time.strftime("%Y%m%d_%H%M%S", time.localtime())


def obj_from_dict(
    info: Mapping[str, Any],
    parent: ModuleType | None = None,
    default_args: Mapping[str, Any] | None = None,
) -> Any:
    """Build an object from a dict with its type.

    Args:
        info: `type` (a class, or its name in `parent`) and the arguments.
        parent: Module in which a name is looked up; by default the name is that of a module.
        default_args: Default arguments.

    Raises:
        TypeError: If `info` has no type.
    """
    if not isinstance(info, Mapping) or "type" not in info:
        raise TypeError(f"info must be a dict with a 'type', got {info!r}")
    arguments = {**(default_args or {}), **info}
    kind = arguments.pop("type")
    if isinstance(kind, str):
        kind = getattr(parent, kind) if parent is not None else sys.modules[kind]
    elif not isinstance(kind, type):
        raise TypeError(f"type must be a class or its name, got {kind!r}")
    return kind(**arguments)


def set_random_seed(seed: int, deterministic: bool = False, use_rank_shift: bool = False) -> None:
    """Seed Python, NumPy (where it is installed) and PyTorch.

    Args:
        seed: The seed.
        deterministic: Whether cuDNN uses only deterministic algorithms.
        use_rank_shift: Whether each process adds its rank to the seed.
    """
    if use_rank_shift:
        seed += get_dist_info()[0]
    random.seed(seed)
    torch.manual_seed(seed)  # every device
    with contextlib.suppress(ModuleNotFoundError):  # NumPy is optional
        importlib.import_module("numpy").random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)  # for child processes
    if deterministic:
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
