"""Type aliases for the signatures of modules."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

#: Config of a layer: ``type`` and arguments of the layer.
Config: TypeAlias = Mapping[str, Any]

#: Size in each spatial dimension, or one size for all.
Size: TypeAlias = int | tuple[int, ...]

#: Size in two dimensions: one number for both, or (height, width).
Size2d: TypeAlias = int | tuple[int, int]

#: Order of the layers of a `ConvModule`.
Order: TypeAlias = tuple[
    Literal["conv", "norm", "act"], Literal["conv", "norm", "act"], Literal["conv", "norm", "act"]
]
