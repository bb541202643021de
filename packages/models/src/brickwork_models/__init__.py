"""Networks for the checkpoints of the zoo, built from bricks."""

from ._alexnet import AlexNet as AlexNet
from ._backbone import Backbone as Backbone
from ._backbone import BackboneOptions as BackboneOptions
from ._create import create_model as create_model
from ._create import list_models as list_models
from ._create import model_entry as model_entry
from ._darknet import Darknet as Darknet
from ._efficientnet_lite import EfficientNetLite as EfficientNetLite
from ._entry import Entry as Entry
from ._hrnet import HRNet as HRNet
from ._hrnet_stages import hrnet_stages as hrnet_stages
from ._imagenet import imagenet_classes as imagenet_classes
from ._inverted_residual import InvertedResidual as InvertedResidual
from ._keys import KEY_MAPS as KEY_MAPS
from ._keys import key_map as key_map
from ._mobilenet_v2 import MobileNetV2 as MobileNetV2
from ._registry import MODELS as MODELS
from ._registry import build_model as build_model
from ._registry import build_model_from_cfg as build_model_from_cfg
from ._regnet import RegNet as RegNet
from ._res2net import Res2Net as Res2Net
from ._residual import BasicBlock as BasicBlock
from ._residual import Bottleneck as Bottleneck
from ._residual_stage import make_res_layer as make_res_layer
from ._resnet import ResNet as ResNet
from ._resnet import ResNetV1c as ResNetV1c
from ._resnet import ResNetV1d as ResNetV1d
from ._resnet import ResNeXt as ResNeXt
from ._summary import Summary as Summary
from ._summary import summarize as summarize
from ._vgg import VGG as VGG
from ._vgg import make_vgg_layer as make_vgg_layer
from ._weights import Preprocessing as Preprocessing
from ._weights import Weights as Weights

__version__ = "0.1.0"

__all__ = [
    "KEY_MAPS",
    "MODELS",
    "VGG",
    "AlexNet",
    "Backbone",
    "BackboneOptions",
    "BasicBlock",
    "Bottleneck",
    "Darknet",
    "EfficientNetLite",
    "Entry",
    "HRNet",
    "InvertedResidual",
    "MobileNetV2",
    "Preprocessing",
    "RegNet",
    "Res2Net",
    "ResNeXt",
    "ResNet",
    "ResNetV1c",
    "ResNetV1d",
    "Summary",
    "Weights",
    "build_model",
    "build_model_from_cfg",
    "create_model",
    "hrnet_stages",
    "imagenet_classes",
    "key_map",
    "list_models",
    "make_res_layer",
    "make_vgg_layer",
    "model_entry",
    "summarize",
]
