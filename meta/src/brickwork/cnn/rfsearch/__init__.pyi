from brickwork_modules import BaseConvRFSearchOp as BaseConvRFSearchOp
from brickwork_modules import Conv2dRFSearchOp as Conv2dRFSearchOp
from brickwork_modules import RFSearchHook as RFSearchHook

from . import operator as operator
from . import search as search

__all__: list[str]
