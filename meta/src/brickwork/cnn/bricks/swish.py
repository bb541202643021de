"""Swish."""

from brickwork_layers import Swish as Swish
