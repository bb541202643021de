"""Generalized attention."""

from brickwork_modules import GeneralizedAttention

__all__ = [
    "GeneralizedAttention",
]
