"""Weight-standardized convolution."""

from brickwork_layers import ConvAWS2d as ConvAWS2d
from brickwork_layers import ConvWS2d as ConvWS2d
from brickwork_layers import conv_ws_2d as conv_ws_2d
