"""Registries and building from configs."""

from brickwork_registry import (
    Registry,
    build_from_cfg,
)

__all__ = [
    "Registry",
    "build_from_cfg",
]
