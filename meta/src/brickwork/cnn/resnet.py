"""ResNet."""

from brickwork_models import BasicBlock, Bottleneck
from brickwork_models.classic import ResNet, make_res_layer

__all__ = ["BasicBlock", "Bottleneck", "ResNet", "make_res_layer"]
