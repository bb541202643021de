"""Search for receptive fields."""

from brickwork_modules import RFSearchHook as RFSearchHook
