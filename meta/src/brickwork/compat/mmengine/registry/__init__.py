"""What `mmengine.registry` offers: the roots, as `root` lists them, and what builds from them."""

from . import root
from .build_functions import (
    build_from_cfg,
    build_model_from_cfg,
    build_runner_from_cfg,
    build_scheduler_from_cfg,
)
from .registry import Registry
from .root import *  # noqa: F403  # its `__all__` is the one list of them

__all__ = [
    "Registry",
    "build_from_cfg",
    "build_model_from_cfg",
    "build_runner_from_cfg",
    "build_scheduler_from_cfg",
]
__all__ += root.__all__
