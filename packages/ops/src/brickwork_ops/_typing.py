"""Types that recur in the signatures of operators."""

from typing import Any, TypeAlias

import torch
from torch import Tensor

#: A size, stride, padding or dilation of 2d: one number for both axes, or (height, width).
Size2d: TypeAlias = int | tuple[int, int]

#: A tensor or a NumPy array. NumPy is not a dependency, so its type is not named.
ArrayLike: TypeAlias = Tensor | Any

#: The type of a tensor that holds indices.
INDEX = torch.int32
