"""The registries of modules, with the names that mmcv gives them."""

from brickwork_registry import Registry
from torch import nn

PLUGIN_LAYERS: Registry[type[nn.Module]] = Registry("plugin layer")
POSITIONAL_ENCODING: Registry[type[nn.Module]] = Registry("position encoding")
ATTENTION: Registry[type[nn.Module]] = Registry("attention")
FEEDFORWARD_NETWORK: Registry[type[nn.Module]] = Registry("feed-forward Network")
TRANSFORMER_LAYER: Registry[type[nn.Module]] = Registry("transformerLayer")
TRANSFORMER_LAYER_SEQUENCE: Registry[type[nn.Module]] = Registry("transformer-layers sequence")

for _registry, _name in (
    (ATTENTION, "MultiScaleDeformableAttention"),
    (PLUGIN_LAYERS, "CrissCrossAttention"),
):
    _registry.declare_provider([_name], distribution="brickwork-ops", module="brickwork_ops")
