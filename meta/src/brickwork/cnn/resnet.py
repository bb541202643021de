"""ResNet."""

from brickwork_models import BasicBlock as BasicBlock
from brickwork_models import Bottleneck as Bottleneck
from brickwork_models.classic import ResNet as ResNet
from brickwork_models.classic import make_res_layer as make_res_layer
