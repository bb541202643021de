"""Which batch norms of a model can be folded into the convolution before them."""

from __future__ import annotations

import copy
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from brickwork_layers import SyncBatchNorm
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.parameter import is_lazy

from ._eval_mode import eval_mode

# A subclass with a forward of its own may do more than normalise (an activation, say).
_PLAIN_NORMS = (_BatchNorm.forward, nn.SyncBatchNorm.forward, SyncBatchNorm.forward)

# These are linear in their weight; a subclass with a forward of its own is put to the test.
_LINEAR: tuple[Callable[..., Tensor], ...] = (
    nn.Conv1d.forward,
    nn.Conv2d.forward,
    nn.Conv3d.forward,
    nn.ConvTranspose1d.forward,
    nn.ConvTranspose2d.forward,
    nn.ConvTranspose3d.forward,
)


@dataclass(frozen=True)
class ConvBN:
    """A batch norm of a model, and what can be done about it.

    Args:
        bn: Dotted name of the batch norm.
        conv: Dotted name of the convolution it follows; empty if it follows none.
        reason: Why the two cannot be fused; empty if they can.
    """

    bn: str
    conv: str = ""
    reason: str = ""


class _OneLevel(fx.Tracer):
    """Follows the forward of one module and enters none of its children."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True


def find_conv_bn(module: nn.Module) -> tuple[ConvBN, ...]:
    """Find the batch norms of a model and the convolutions whose output alone they take.

    A pair has one parent, whose forward (followed by `torch.fx`) calls each once, hands the
    convolution's output to the batch norm and to nothing else. Neither may occur in the model
    twice, share tensors with another module or have hooks.

    Args:
        module: The model. Not changed.

    Returns:
        One row for each batch norm, in the order of `torch.nn.Module.named_modules`.
    """
    counts = Counter(id(one) for _, one in module.named_modules(remove_duplicate=False))
    counts += Counter(
        id(tensor)
        for one in module.modules()
        for tensor in (*one._parameters.values(), *one._buffers.values())
        if tensor is not None
    )
    rows = []
    for prefix, parent in module.named_modules():
        norms = {name for name, child in parent.named_children() if isinstance(child, _BatchNorm)}
        if not norms:
            continue
        before, failure = _feeders(parent)
        for name in sorted(norms, key=list(parent._modules).index):
            dot = f"{prefix}." if prefix else ""
            found = before.get(name)
            if found is None:
                rows.append(ConvBN(dot + name, reason=failure or "follows no convolution"))
            else:
                conv, reason = found
                reason = reason or _obstacle(
                    parent.get_submodule(conv), parent.get_submodule(name), counts
                )
                rows.append(ConvBN(dot + name, dot + conv, reason))
    if isinstance(module, _BatchNorm):
        rows.append(ConvBN("", reason="is the whole model"))
    return tuple(rows)


def _feeders(parent: nn.Module) -> tuple[dict[str, tuple[str, str]], str]:
    """Find the convolution before each batch norm among a module's direct children.

    Returns:
        Norm → (convolution, why not to fuse or ``''``), and why the forward could not be
        followed, or ``''``.
    """
    convs = {name for name, child in parent.named_children() if isinstance(child, _ConvNd)}
    if not convs:
        return {}, ""
    try:
        with eval_mode(parent), _layers_called_in_turn(parent):
            graph = _OneLevel().trace(parent, _defaults(parent))
    except Exception as error:  # whatever a forward does to a proxy
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        return {}, f"the forward of {type(parent).__name__} cannot be followed ({reason})"
    calls = Counter(node.target for node in graph.nodes if node.op == "call_module")
    found: dict[str, tuple[str, str]] = {}
    for node in graph.nodes:
        if node.op != "call_module" or len(node.args) != 1 or node.kwargs:
            continue
        source = node.args[0]
        if not (isinstance(source, fx.Node) and source.op == "call_module"):
            continue
        if source.target not in convs:
            continue
        reason = ""
        if len(source.users) > 1:
            reason = "the output of the convolution is used elsewhere too"
        elif calls[node.target] > 1 or calls[source.target] > 1:
            reason = "the forward calls it more than once"
        found[str(node.target)] = (str(source.target), reason)
    return found, ""


def _defaults(module: nn.Module) -> dict[str, Any]:
    """Fix the optional arguments of a forward, so that it can branch on them."""
    parameters = inspect.signature(module.forward).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not one.empty}


@contextmanager
def _layers_called_in_turn(module: nn.Module) -> Iterator[None]:
    """Switch off `ConvModule.turn_on_efficient_conv_bn_eval` inside the block."""
    fold = vars(module).get("efficient_conv_bn_eval_forward")
    if fold is not None:
        vars(module)["efficient_conv_bn_eval_forward"] = None
    try:
        yield
    finally:
        if fold is not None:
            vars(module)["efficient_conv_bn_eval_forward"] = fold


def _obstacle(conv: nn.Module, bn: nn.Module, counts: Counter[int]) -> str:
    """Say what keeps a convolution and the batch norm after it from being fused; or ``''``."""
    for one in (conv, bn):
        tensors = [t for t in (*one._parameters.values(), *one._buffers.values()) if t is not None]
        if any(is_lazy(tensor) for tensor in tensors):
            return "has no shape yet"
        if counts[id(one)] > 1 or any(counts[id(tensor)] > 1 for tensor in tensors):
            return "is shared with another part of the model"
        if one._forward_hooks or one._forward_pre_hooks:
            return "has hooks"
        if "forward" in vars(one):  # such as `turn_on_efficient_conv_bn_eval` gives it
            return "has a forward of its own"
    if not isinstance(getattr(bn, "running_mean", None), Tensor):
        return "normalises by the statistics of each batch"
    if type(bn).forward not in _PLAIN_NORMS:
        return f"{type(bn).__name__} is no plain batch norm"
    if "weight" not in conv._parameters:
        return "the weight of the convolution is computed anew in each forward"
    if conv.out_channels != bn.num_features:
        return "the convolution has another number of channels"
    if not _is_linear(conv):
        return f"{type(conv).__name__} is not linear in its weight"
    return ""


def scaled_weight(conv: Any, weight: Tensor, scale: Tensor) -> Tensor:
    """Multiply the filters of a convolution.

    Args:
        conv: The convolution; tells whether it is transposed, and the groups.
        weight: Tensor of the shape of its weight.
        scale: Tensor (C_out,), the factors.

    Returns:
        Tensor of the shape of `weight`.
    """
    spatial = [1] * (weight.dim() - 2)
    if not isinstance(conv, _ConvTransposeNd):
        return weight * scale.view(-1, 1, *spatial)
    # (in, out / groups, ...): the channels of the output are the second axis, group by group
    # along the first.
    factors = scale.view(conv.groups, 1, -1, *spatial)
    by_group = weight.reshape(conv.groups, -1, *weight.shape[1:])
    return (by_group * factors).flatten(0, 1)


def _is_linear(conv: Any) -> bool:
    """Tell whether scaled filters give scaled outputs, by a trial where the class is unknown."""
    if type(conv).forward in _LINEAR:
        return True
    trial = copy.deepcopy(conv).to_empty(device="cpu").double().eval()
    generator = torch.Generator().manual_seed(0)  # the global one is not ours to advance
    with torch.no_grad():
        for tensor in (*trial.parameters(), *trial.buffers()):
            if tensor.is_floating_point():
                tensor.normal_(generator=generator)
        if trial.bias is not None:
            trial.bias.zero_()
        sizes = [2 * d * (k - 1) + 3 for k, d in zip(conv.kernel_size, conv.dilation, strict=True)]
        options: dict[str, Any] = {"dtype": torch.float64, "device": "cpu"}
        x = torch.randn(2, conv.in_channels, *sizes, generator=generator, **options)
        scale = torch.linspace(-2, 3, conv.out_channels, **options)
        expected = trial(x) * scale.view(-1, *[1] * len(sizes))
        trial.weight.copy_(scaled_weight(trial, trial.weight, scale))
        return torch.allclose(trial(x), expected)
