"""The search."""

from brickwork_modules import RFSearchHook

__all__ = [
    "RFSearchHook",
]
