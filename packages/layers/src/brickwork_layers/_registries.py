"""The registries of layers, with the names that mmcv gives them."""

from collections.abc import Mapping

from brickwork_registry import Registry
from torch import nn

LayerRegistry = Registry[type[nn.Module]]

CONV_LAYERS: LayerRegistry = Registry("conv layer")
NORM_LAYERS: LayerRegistry = Registry("norm layer")
ACTIVATION_LAYERS: LayerRegistry = Registry("activation layer")
PADDING_LAYERS: LayerRegistry = Registry("padding layer")
UPSAMPLE_LAYERS: LayerRegistry = Registry("upsample layer")
DROPOUT_LAYERS: LayerRegistry = Registry("drop out layers")


def register_builtin(
    registry: LayerRegistry,
    layers: Mapping[str, type[nn.Module]],
    defaults: Mapping[str, type[nn.Module]],
) -> None:
    """Register the layers of this package.

    Args:
        registry: The registry.
        layers: Layers that mmcv has, by name.
        defaults: Layers that mmcv does not have, by name. Code written for mmcv may register its
            own under these names, so they are overridable defaults, and not in `module_dict`.
    """
    for name, layer in layers.items():
        registry.register_module(name, module=layer)
    for name, layer in defaults.items():
        registry.register_default(name, layer)


for _registry, _names in (
    (CONV_LAYERS, ("DCN", "DCNv2", "SAC")),
    (NORM_LAYERS, ("MMSyncBN",)),
    (UPSAMPLE_LAYERS, ("carafe",)),
):
    _registry.declare_provider(_names, distribution="brickwork-ops", module="brickwork_ops")
