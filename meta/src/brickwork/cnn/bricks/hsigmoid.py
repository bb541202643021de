"""Hard sigmoid."""

from brickwork_layers import HSigmoid

__all__ = [
    "HSigmoid",
]
