"""Types that recur in the signatures of modules."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

#: The config of a layer: ``type`` says which, the other keys are arguments of its constructor.
Config: TypeAlias = Mapping[str, Any]

#: A size along each spatial dimension, or one for all.
Size: TypeAlias = int | tuple[int, ...]

#: A size of a 2d window: one number for both sides, or (height, width).
Size2d: TypeAlias = int | tuple[int, int]

#: The order of the layers of a `ConvModule`.
Order: TypeAlias = tuple[
    Literal["conv", "norm", "act"], Literal["conv", "norm", "act"], Literal["conv", "norm", "act"]
]
