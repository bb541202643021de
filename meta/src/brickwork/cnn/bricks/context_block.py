"""Global context (GCNet)."""

from brickwork_modules import ContextBlock

__all__ = [
    "ContextBlock",
]
