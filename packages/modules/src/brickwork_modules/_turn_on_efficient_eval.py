"""Efficient evaluation of every convolution and batch norm of a model."""

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
    """Fold each batch norm, in eval mode, into the convolution before it in each forward.

    Parameters, their names and gradients stay those of both layers, training mode is not touched;
    in eval mode the two cost the time and memory of one. Pairs are found as for `fuse_conv_bn`;
    in a `ConvModule`, this is `ConvModule.turn_on_efficient_conv_bn_eval`. To fuse for good, fuse
    a model on which this was not called.

    Args:
        model: The model, changed in place.
        modules: Dotted names of the parts of the model to look in; ``''`` is all of it.

    Raises:
        AttributeError: If the model has no part of that name.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)).eval()
        >>> turn_on_efficient_conv_bn_eval(model)
        >>> model(torch.ones(1, 3, 8, 8)).shape
        torch.Size([1, 8, 6, 6])
    """
    for part_name in [modules] if isinstance(modules, str) else modules:
        part = model.get_submodule(part_name)
        for pair in find_conv_bn(part):
            if pair.reason:
                continue
            conv: Any = part.get_submodule(pair.conv)
            bn: Any = part.get_submodule(pair.bn)
            parent = part.get_submodule(pair.conv.rpartition(".")[0])
            if isinstance(parent, ConvModule):
                parent.turn_on_efficient_conv_bn_eval()
            elif folds(conv, bn):
                # Partials of functions of this module: they are copied and pickled with the model.
                vars(conv)["forward"] = partial(_convolve, conv, bn)
                vars(bn)["forward"] = partial(_normalise, bn)


def _convolve(conv: _ConvNd, bn: _BatchNorm, x: Tensor) -> Tensor:
    """The convolution, with its batch norm where that is in eval mode."""
    if bn.training:
        output: Tensor = type(conv).forward(conv, x)
        return output
    return efficient_conv_bn_eval_forward(bn, conv, x)


def _normalise(bn: _BatchNorm, x: Tensor) -> Tensor:
    """The batch norm, where the convolution has not done its work."""
    return type(bn).forward(bn, x) if bn.training else x
