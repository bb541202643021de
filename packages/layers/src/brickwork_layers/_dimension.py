"""The ``dim`` of a config, which selects the class for one, two or three dimensions."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from ._typing import LayerFactory

_FAMILIES: Mapping[LayerFactory, Mapping[int, type[nn.Module]]] = {
    family[1]: dict(enumerate(family, start=1))
    for family in (
        (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d),
        (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d),
        (nn.ZeroPad1d, nn.ZeroPad2d, nn.ZeroPad3d),
        (nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d),
        (nn.ReflectionPad1d, nn.ReflectionPad2d, nn.ReflectionPad3d),
        (nn.ReplicationPad1d, nn.ReplicationPad2d, nn.ReplicationPad3d),
        (nn.CircularPad1d, nn.CircularPad2d, nn.CircularPad3d),
    )
}


def of_dimension(factory: LayerFactory, arguments: dict[str, Any]) -> LayerFactory:
    """Return the variant of a 2d class for ``dim`` dimensions, and remove ``dim`` from the config.

    A class without variants, or a config without ``dim``, gives `factory`.

    Raises:
        ValueError: If ``dim`` is not 1, 2 or 3.
    """
    siblings = _FAMILIES.get(factory)
    if siblings is None or "dim" not in arguments:
        return factory
    dim = arguments.pop("dim")
    if dim not in siblings:
        raise ValueError(f"dim of {siblings[2].__name__} must be 1, 2 or 3, got {dim!r}")
    return siblings[dim]
