"""Type aliases for the signatures of layers."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from torch import nn

#: Config of a layer: ``type`` and arguments of the layer.
LayerConfig: TypeAlias = Mapping[str, Any]

#: Class, function or partial that returns a layer.
LayerFactory: TypeAlias = Callable[..., nn.Module]

#: Size in two dimensions: one number for both, or (height, width).
Size2d: TypeAlias = int | tuple[int, int]

#: Padding mode of a convolution.
PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]

#: Position of the channels: (N, C, *) or (N, *, C).
DataFormat: TypeAlias = Literal["channels_first", "channels_last"]
