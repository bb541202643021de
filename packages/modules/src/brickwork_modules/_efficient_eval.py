"""Batch norm in eval mode folded into the preceding convolution in each forward pass.

Unlike permanent fusion it leaves both layers as they are, and gradients flow through both (You et
al., "Efficient ConvBN Blocks for Transfer Learning and Beyond", https://arxiv.org/abs/2305.11624).
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

# A subclass that overrides forward may not be linear in its weight (weight standardization).
_LINEAR = (nn.Conv1d.forward, nn.Conv2d.forward, nn.Conv3d.forward)


def folds(conv: nn.Module, bn: nn.Module | None) -> bool:
    """Check whether a batch norm can be folded into a convolution.

    Args:
        conv: The convolution.
        bn: The layer that follows it.

    Returns:
        True for a plain 1d, 2d or 3d convolution without hooks (spectral norm is one) and a
        batch norm with running statistics.
    """
    return (
        isinstance(bn, _BatchNorm)
        and bn.running_mean is not None
        and isinstance(conv, _ConvNd)
        and type(conv).forward in _LINEAR
        and not (conv._forward_pre_hooks or conv._forward_hooks or bn._forward_hooks)
    )


def applies(bn: nn.Module) -> bool:
    """Check whether a foldable norm is in eval mode and has not been replaced."""
    return isinstance(bn, _BatchNorm) and not bn.training


def efficient_conv_bn_eval_forward(bn: _BatchNorm, conv: _ConvNd, x: Tensor) -> Tensor:
    """Compute ``bn(conv(x))`` in eval mode with one convolution.

    With s = gamma / sqrt(running_var + eps), its weight is s * weight and its bias is
    beta + s * (bias - running_mean).

    Args:
        bn: The batch norm, with running statistics.
        conv: The convolution, not transposed.
        x: Tensor ``(N, C_in, *)``.

    Returns:
        Tensor ``(N, C_out, *)``.

    Raises:
        ValueError: If `bn` has no running statistics.
    """
    mean, var = bn.running_mean, bn.running_var
    if mean is None or var is None:
        raise ValueError(
            "efficient_conv_bn_eval_forward needs a batch norm with running statistics, got "
            f"{bn}; build it with track_running_stats=True, or call the layers one after another"
        )
    scale = torch.rsqrt(var + bn.eps)
    if bn.weight is not None:
        scale = scale * bn.weight
    shift = -mean if conv.bias is None else conv.bias - mean
    bias = scale * shift if bn.bias is None else torch.addcmul(bn.bias, scale, shift)
    weight = conv.weight * scale.view(-1, *(1,) * (conv.weight.dim() - 1))
    output: Tensor = conv._conv_forward(x, weight, bias)
    return output
