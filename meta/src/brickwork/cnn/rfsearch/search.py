"""The search."""

from brickwork_modules import RFSearchHook as RFSearchHook
