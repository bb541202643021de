"""Networks for the checkpoints of the zoo, built from bricks."""

from ._efficientnet_lite import EfficientNetLite as EfficientNetLite
from ._mobilenet_v2 import MobileNetV2 as MobileNetV2

__version__ = "0.1.0"
