"""Modules that initialise from a config."""

from brickwork_base import (
    BaseModule,
    ModuleDict,
    ModuleList,
    Sequential,
)

__all__ = [
    "BaseModule",
    "ModuleDict",
    "ModuleList",
    "Sequential",
]
