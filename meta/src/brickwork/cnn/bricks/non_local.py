"""Non-local blocks."""

from brickwork_modules import (
    NonLocal1d,
    NonLocal2d,
    NonLocal3d,
)

__all__ = [
    "NonLocal1d",
    "NonLocal2d",
    "NonLocal3d",
]
