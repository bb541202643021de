"""ResNet."""

from brickwork_models import (
    BasicBlock,
    Bottleneck,
    ResNet,
    make_res_layer,
)

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "ResNet",
    "make_res_layer",
]
