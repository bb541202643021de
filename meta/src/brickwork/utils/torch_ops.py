"""Operations whose defaults changed."""

import torch

__all__ = ["torch_meshgrid"]


def torch_meshgrid(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Make coordinate grids, indexed by row and column (`indexing="ij"`)."""
    return torch.meshgrid(*tensors, indexing="ij")
