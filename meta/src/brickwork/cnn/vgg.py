"""VGG."""

from brickwork_models.classic import VGG as VGG
from brickwork_models.classic import make_vgg_layer as make_vgg_layer
