"""Dropout and stochastic depth."""

from brickwork_layers import (
    DROPOUT_LAYERS,
    Dropout,
    DropPath,
    build_dropout,
    drop_path,
)

__all__ = [
    "DROPOUT_LAYERS",
    "DropPath",
    "Dropout",
    "build_dropout",
    "drop_path",
]
