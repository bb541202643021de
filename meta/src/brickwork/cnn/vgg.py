"""VGG."""

from brickwork_models import VGG as VGG
from brickwork_models import make_vgg_layer as make_vgg_layer
