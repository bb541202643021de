"""A convolution and its batch norm in eval mode as one convolution, made anew in each forward.

Unlike fusing them for good, it leaves both layers as they are: the model still trains, and with
gradients through both (You et al., "Efficient ConvBN Blocks for Transfer Learning and Beyond",
https://arxiv.org/abs/2305.11624).
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

# A class with a forward of its own may not be linear in its weight (weight standardisation).
_LINEAR = (nn.Conv1d.forward, nn.Conv2d.forward, nn.Conv3d.forward)


def folds(conv: nn.Module, bn: nn.Module | None) -> bool:
    """Tell whether a convolution can take over the batch norm that follows it.

    Args:
        conv: The convolution.
        bn: What follows it.

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
    """Tell whether a norm, once found to fold, does so now: it is still there, in eval mode."""
    return isinstance(bn, _BatchNorm) and not bn.training


def efficient_conv_bn_eval_forward(bn: _BatchNorm, conv: _ConvNd, x: Tensor) -> Tensor:
    """Compute ``bn(conv(x))`` in eval mode by one convolution.

    With s = gamma / sqrt(running_var + eps), the filters are s * weight and the bias is
    beta + s * (bias - running_mean).

    Args:
        bn: The batch norm, with running statistics.
        conv: The convolution, not transposed.
        x: Tensor (N, C_in, ...).

    Returns:
        Tensor (N, C_out, ...).

    Raises:
        ValueError: If `bn` has no running statistics.
    """
    mean, var = bn.running_mean, bn.running_var
    if mean is None or var is None:
        raise ValueError(
            "efficient_conv_bn_eval_forward needs the running statistics of the batch norm, but "
            f"{bn} has none; build it with track_running_stats=True, or call the layers in turn"
        )
    scale = torch.rsqrt(var + bn.eps)
    if bn.weight is not None:
        scale = scale * bn.weight
    shift = -mean if conv.bias is None else conv.bias - mean
    bias = scale * shift if bn.bias is None else torch.addcmul(bn.bias, scale, shift)
    weight = conv.weight * scale.view(-1, *(1,) * (conv.weight.dim() - 1))
    output: Tensor = conv._conv_forward(x, weight, bias)
    return output
