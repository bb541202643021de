"""What downstream code takes from here to run on many versions of PyTorch."""

from typing import Any

import torch

__all__ = ["NewEmptyTensorOp", "obsolete_torch_version", "torch_meshgrid"]


def torch_meshgrid(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Make coordinate grids, indexed by row and column (`indexing="ij"`)."""
    return torch.meshgrid(*tensors, indexing="ij")


def obsolete_torch_version(
    torch_version: tuple[int, ...] | str, version_threshold: tuple[int, ...]
) -> bool:
    """Tell whether a version of PyTorch is no later than another.

    Args:
        torch_version: The version, as `(2, 10)`; or `"parrots"`, which always is.
        version_threshold: The other.

    Returns:
        Whether it is.
    """
    return isinstance(torch_version, str) or torch_version <= version_threshold


class NewEmptyTensorOp(torch.autograd.Function):
    """An empty tensor of another shape that is still part of the graph."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, new_shape: tuple[int, ...]) -> torch.Tensor:
        """Return an uninitialised tensor of a shape, of the type and on the device of `x`."""
        ctx.shape = x.shape
        return x.new_empty(new_shape)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Return an uninitialised gradient of the shape of the input."""
        return NewEmptyTensorOp.apply(grads[0], ctx.shape), None  # type: ignore[no-untyped-call]
