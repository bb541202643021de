"""Helpers with which downstream code supports several versions of PyTorch."""

from typing import Any

import torch

__all__ = ["NewEmptyTensorOp", "obsolete_torch_version", "torch_meshgrid"]


def torch_meshgrid(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return coordinate grids, indexed by row and column (`indexing="ij"`)."""
    return torch.meshgrid(*tensors, indexing="ij")


def obsolete_torch_version(
    torch_version: tuple[int, ...] | str, version_threshold: tuple[int, ...]
) -> bool:
    """Return whether a version of PyTorch is at most a threshold.

    Args:
        torch_version: Version such as `(2, 10)`, or `"parrots"`, for which the result is True.
        version_threshold: The threshold.
    """
    return isinstance(torch_version, str) or torch_version <= version_threshold


class NewEmptyTensorOp(torch.autograd.Function):
    """Empty tensor of another shape that stays part of the autograd graph."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, new_shape: tuple[int, ...]) -> torch.Tensor:
        """Return an uninitialized tensor with the dtype and device of `x`."""
        ctx.shape = x.shape
        return x.new_empty(new_shape)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Return an uninitialized gradient with the shape of the input."""
        return NewEmptyTensorOp.apply(grads[0], ctx.shape), None  # type: ignore[no-untyped-call]
