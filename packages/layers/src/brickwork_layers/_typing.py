"""Types that recur in the signatures of layers."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from torch import nn

#: The config of a layer: ``type`` says which, the other keys are arguments of its constructor.
LayerConfig: TypeAlias = Mapping[str, Any]

#: What makes a layer: mostly a class, but a function or a partial will do.
LayerFactory: TypeAlias = Callable[..., nn.Module]

#: A size of a 2d window: one number for both sides, or (height, width).
Size2d: TypeAlias = int | tuple[int, int]

#: What a convolution pads with.
PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]

#: Where the channels of a tensor are: (N, C, ...) or (N, ..., C).
DataFormat: TypeAlias = Literal["channels_first", "channels_last"]
