"""Searchable convolutions."""

from brickwork_modules import BaseConvRFSearchOp as BaseConvRFSearchOp
from brickwork_modules import Conv2dRFSearchOp as Conv2dRFSearchOp
