"""Swish."""

from brickwork_layers import Swish

__all__ = [
    "Swish",
]
