"""Fusion of batch norms into the preceding convolutions, for inference."""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from ._eval_mode import eval_mode
from ._fuse_plan import ConvBN, find_conv_bn, scaled_weight

logger = logging.getLogger(__name__)


class FusionError(RuntimeError):
    """The outputs of a fused model differ; the fusion was undone.

    Attributes:
        difference: Largest difference of an output, relative to the largest output.
        tolerance: Largest difference that rounding explains.
    """

    def __init__(self, difference: float, tolerance: float) -> None:
        super().__init__(difference, tolerance)
        self.difference, self.tolerance = difference, tolerance

    def __str__(self) -> str:
        return (
            f"the outputs of the fused model differ by {self.difference:.2g} of the largest value, "
            f"rounding explains {self.tolerance:.2g}; the fusion was undone: look for a pair in "
            "find_conv_bn(model) that is called from outside its parent"
        )


def fuse_conv_bn(
    module: nn.Module, *, example: Any = None, report: list[ConvBN] | None = None
) -> nn.Module:
    """Fuse each batch norm of a model into the preceding convolution, in place.

    The convolution then computes what ``bn(conv(x))`` computed in eval mode:

        weight' = weight * s,  bias' = (bias - mean) * s + beta,  s = gamma / sqrt(var + eps)

    The batch norm is replaced by `torch.nn.Identity`, so names and structure stay. Pairs are
    found by `find_conv_bn`, of any dimension, grouped, transposed or without affine parameters;
    other batch norms are left alone.

    Args:
        module: The model, for inference from now on.
        example: Input, or tuple of inputs, to check with: the outputs in eval mode before and
            after must be equal up to rounding.
        report: List to append one `ConvBN` to for each batch norm; it was fused if its
            ``reason`` is empty. The same is logged.

    Returns:
        `module`.

    Raises:
        FusionError: If the outputs for `example` differ; then the fusion is undone.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        >>> fuse_conv_bn(model, example=torch.rand(1, 3, 8, 8))
        Sequential(
          (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
          (1): Identity()
          (2): ReLU()
        )
    """
    expected = None if example is None else _outputs(module, example)
    rows, undo = find_conv_bn(module), []
    for row in rows:
        if not row.reason:
            conv: Any = module.get_submodule(row.conv)
            bn = module.get_submodule(row.bn)
            undo.append((row.bn, bn, conv, conv.weight, conv.bias))
            _fuse_conv_bn(conv, bn)
            module.set_submodule(row.bn, nn.Identity().train(bn.training))
    if expected is not None:
        difference, tolerance = _difference(expected, _outputs(module, example))
        if not difference <= tolerance:  # also if it is NaN
            for name, bn, conv, weight, bias in undo:
                module.set_submodule(name, bn)
                conv.weight, conv.bias = weight, bias
            raise FusionError(difference, tolerance)
    for row in rows:
        if row.reason:
            logger.info("not fused: batch norm %r %s: %s", row.bn, row.conv, row.reason)
    logger.info("fused %d of %d batch norms", len(undo), len(rows))
    if report is not None:
        report.extend(rows)
    return module


def _fuse_conv_bn(conv: Any, bn: Any) -> Any:
    """Fuse a batch norm into a convolution, in place; return the convolution."""
    weight, bias = _folded(conv, bn)
    grad = conv.weight.requires_grad
    conv.weight = nn.Parameter(weight, requires_grad=grad)
    conv.bias = nn.Parameter(bias, requires_grad=grad)
    return conv


def _folded(conv: Any, bn: Any) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the fused convolution."""
    dtype = conv.weight.dtype
    with torch.no_grad():
        mean, var = bn.running_mean.double(), bn.running_var.double()
        scale = (var + bn.eps).rsqrt()
        if bn.weight is not None:
            scale = scale * bn.weight.double()
        shift = -mean if conv.bias is None else conv.bias.double() - mean
        bias = shift * scale
        if bn.bias is not None:
            bias = bias + bn.bias.double()
        # float64 for the few values per channel; for the weight it would take most of the time.
        computed = torch.promote_types(dtype, torch.float32)
        weight = scaled_weight(conv, conv.weight.to(computed), scale.to(computed))
        return weight.to(dtype), bias.to(dtype)


def _difference(expected: list[Any], actual: list[Any]) -> tuple[float, float]:
    """Return the largest difference, relative to the largest value, and that of rounding."""
    difference, tolerance = 0.0, 0.0
    for a, b in zip(expected, actual, strict=True):
        if isinstance(a, Tensor) and a.is_floating_point() and a.numel():
            scale = a.double().abs().max().clamp(min=1e-30)
            worst = ((a.double() - b.double()).abs().max() / scale).item()
            if not worst <= difference:
                difference = worst
            tolerance = max(tolerance, torch.finfo(a.dtype).eps ** 0.5)
    return difference, tolerance


def _outputs(module: nn.Module, example: Any) -> list[Any]:
    inputs = example if isinstance(example, tuple) else (example,)
    with torch.no_grad(), eval_mode(module):
        outputs: list[Any] = tree_leaves(module(*inputs))
        return [output.clone() if isinstance(output, Tensor) else output for output in outputs]
