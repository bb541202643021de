"""Counting operations and parameters."""

from brickwork_modules import get_model_complexity_info

__all__ = [
    "get_model_complexity_info",
]
