"""Models for the checkpoints of the zoo, built from bricks."""

from ._create import create_model as create_model
from ._create import list_models as list_models
from ._create import model_entry as model_entry
from ._create import model_library as model_library
from ._entries._entry import Entry as Entry
from ._entries._preprocessing import Preprocessing as Preprocessing
from ._entries._weights import Weights as Weights
from ._families import *
from ._imagenet import imagenet_classes as imagenet_classes
from ._key_maps import KEY_MAPS as KEY_MAPS
from ._key_maps import key_map as key_map
from ._parts._backbone import Backbone as Backbone
from ._parts._backbone import BackboneOptions as BackboneOptions
from ._parts._classic_backbone import ClassicBackbone as ClassicBackbone
from ._parts._inverted_residual import InvertedResidual as InvertedResidual
from ._parts._residual_block import BasicBlock as BasicBlock
from ._parts._residual_block import Bottleneck as Bottleneck
from ._parts._residual_stage import make_res_layer as make_res_layer
from ._registry import MODELS as MODELS
from ._registry import build_model as build_model
from ._registry import build_model_from_cfg as build_model_from_cfg
from ._summary import Summary as Summary
from ._summary import summarize as summarize

__version__ = "0.1.0"

# Computed, so that a family is exported by its own line alone.
__all__ = sorted(name for name in dir() if not name.startswith("_") and name != "errors")
