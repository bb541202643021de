"""Criss-cross attention."""

from brickwork_ops import CrissCrossAttention as CrissCrossAttention
