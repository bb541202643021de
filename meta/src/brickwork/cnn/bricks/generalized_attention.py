"""Generalized attention."""

from brickwork_modules import GeneralizedAttention as GeneralizedAttention
