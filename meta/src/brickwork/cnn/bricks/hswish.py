"""Hard swish."""

from brickwork_layers import HSwish

__all__ = [
    "HSwish",
]
