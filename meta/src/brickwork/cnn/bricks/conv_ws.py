"""Weight-standardised convolution."""

from brickwork_layers import (
    ConvAWS2d,
    ConvWS2d,
    conv_ws_2d,
)

__all__ = [
    "ConvAWS2d",
    "ConvWS2d",
    "conv_ws_2d",
]
