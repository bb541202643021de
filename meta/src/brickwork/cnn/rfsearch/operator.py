"""Searchable convolutions."""

from brickwork_modules import (
    BaseConvRFSearchOp,
    Conv2dRFSearchOp,
)

__all__ = [
    "BaseConvRFSearchOp",
    "Conv2dRFSearchOp",
]
