"""Efficient evaluation of all pairs of convolution and batch norm of a model."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from ._conv_module import ConvModule
from ._efficient_eval import efficient_conv_bn_eval_forward, folds
from ._fuse_plan import find_conv_bn


def turn_on_efficient_conv_bn_eval(model: nn.Module, modules: str | Sequence[str] = "") -> None:
    """Make each forward in eval mode fold batch norms into the preceding convolutions.

    In eval mode, a pair then takes the time and memory of one layer. Parameters, their names and
    gradients stay the same; training mode is not affected. Pairs are found as by `fuse_conv_bn`.
    To fuse permanently, use `fuse_conv_bn` on a model without this.

    Args:
        model: The model, changed in place.
        modules: Dotted names of the submodules to change; ``''`` means the whole model.

    Raises:
        AttributeError: If the model has no submodule of that name.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)).eval()
        >>> turn_on_efficient_conv_bn_eval(model)
        >>> model(torch.ones(1, 3, 8, 8)).shape
        torch.Size([1, 8, 6, 6])
    """
    for submodule_name in [modules] if isinstance(modules, str) else modules:
        part = model.get_submodule(submodule_name)
        for pair in find_conv_bn(part):
            if pair.reason:
                continue
            conv: Any = part.get_submodule(pair.conv)
            bn: Any = part.get_submodule(pair.bn)
            parent = part.get_submodule(pair.conv.rpartition(".")[0])
            if isinstance(parent, ConvModule):
                parent.turn_on_efficient_conv_bn_eval()
            elif folds(conv, bn):
                # Partials of functions of this module can be copied and pickled with the model.
                vars(conv)["forward"] = partial(_convolve, conv, bn)
                vars(bn)["forward"] = partial(_normalize, bn)


def _convolve(conv: _ConvNd, bn: _BatchNorm, x: Tensor) -> Tensor:
    """Run the convolution, with its batch norm if that is in eval mode."""
    if bn.training:
        output: Tensor = type(conv).forward(conv, x)
        return output
    return efficient_conv_bn_eval_forward(bn, conv, x)


def _normalize(bn: _BatchNorm, x: Tensor) -> Tensor:
    """Run the batch norm, unless the convolution included it."""
    return type(bn).forward(bn, x) if bn.training else x
