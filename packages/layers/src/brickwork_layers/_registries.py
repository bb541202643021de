"""The registries of the layer families, by the names that mmcv gives them."""

from collections.abc import Mapping
from typing import Any

from brickwork_registry import Registry
from torch import nn

Table = Mapping[str, type[nn.Module]]


class LayerRegistry(Registry[type[nn.Module]]):
    """A registry some of whose entries give way to another registered under the same name.

    What mmcv 1.7.2 lacks, code written for it may have registered on its own: mmcls brings an
    ``LN2d``, many a project a ``Mish``. Such code must run unchanged, so entries that mmcv does
    not have are only offered: there for everyone, until somebody registers another.

    Args:
        name: What the entries are, for example ``'conv layer'``.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._offered: Table = {}

    def fill(self, table: Table, offered: Table) -> None:
        """Register the layers of a family.

        Args:
            table: Classes by name; the names are taken.
            offered: Classes by name; the names may be taken over.
        """
        for name, layer in {**table, **offered}.items():
            self.register_module(name, module=layer)
        self._offered = offered

    def _register_module(self, module: Any, module_name: Any = None, force: bool = False) -> None:
        names = [module_name] if isinstance(module_name, str) else module_name
        if names is None:
            names = [getattr(module, "__name__", None)]
        present = {name: self.module_dict.get(name) for name in names}
        taken = [name for name, entry in present.items() if entry not in (None, module)]
        gives_way = bool(taken) and all(present[name] is self._offered.get(name) for name in taken)
        super()._register_module(module, module_name, force or gives_way)


CONV_LAYERS = LayerRegistry("conv layer")
NORM_LAYERS = LayerRegistry("norm layer")
ACTIVATION_LAYERS = LayerRegistry("activation layer")
PADDING_LAYERS = LayerRegistry("padding layer")
UPSAMPLE_LAYERS = LayerRegistry("upsample layer")
DROPOUT_LAYERS = LayerRegistry("drop out layers")
