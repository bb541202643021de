"""The registries of layers, with the names that mmcv gives them."""

from collections.abc import Mapping
from typing import Any

from brickwork_registry import Registry
from torch import nn

Table = Mapping[str, type[nn.Module]]


class LayerRegistry(Registry[type[nn.Module]]):
    """A registry with overridable defaults: entries that can be replaced without ``force``.

    Code written for mmcv may register layers that mmcv 1.7.2 lacks, for example ``LN2d`` (mmcls)
    or ``Mish``. That code must run unchanged, so entries that mmcv does not have are overridable.

    Args:
        name: What the entries are, for example ``'conv layer'``.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._overridable: Table = {}

    def register_builtin(self, layers: Table, *, overridable: Table) -> None:
        """Register the layers of this package.

        Args:
            layers: Classes by name.
            overridable: Classes by name that may be replaced without ``force``.
        """
        for name, layer in {**layers, **overridable}.items():
            self.register_module(name, module=layer)
        self._overridable = overridable

    def _register_module(self, module: Any, module_name: Any = None, force: bool = False) -> None:
        names = [module_name] if isinstance(module_name, str) else module_name
        if names is None:
            names = [getattr(module, "__name__", None)]
        present = {name: self.module_dict.get(name) for name in names}
        taken = [name for name, entry in present.items() if entry not in (None, module)]
        is_overridable = bool(taken) and all(
            present[name] is self._overridable.get(name) for name in taken
        )
        super()._register_module(module, module_name, force or is_overridable)


CONV_LAYERS = LayerRegistry("conv layer")
NORM_LAYERS = LayerRegistry("norm layer")
ACTIVATION_LAYERS = LayerRegistry("activation layer")
PADDING_LAYERS = LayerRegistry("padding layer")
UPSAMPLE_LAYERS = LayerRegistry("upsample layer")
DROPOUT_LAYERS = LayerRegistry("drop out layers")

for _registry, _names in (
    (CONV_LAYERS, ("DCN", "DCNv2", "SAC")),
    (NORM_LAYERS, ("MMSyncBN",)),
    (UPSAMPLE_LAYERS, ("carafe",)),
):
    _registry.declare_provider(_names, distribution="brickwork-ops", module="brickwork_ops")
