"""Pairs of a convolution and a batch norm that can be fused."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from brickwork_layers import SyncBatchNorm
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.parameter import is_lazy

from ._eval_mode import eval_mode
from ._trace import UntraceableError, trace_paths

# A subclass that overrides forward may do more than normalize.
_PLAIN_NORMS = (_BatchNorm.forward, nn.SyncBatchNorm.forward, SyncBatchNorm.forward)

# Linear in the weight; other convolutions are tested numerically.
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
    """A batch norm of a model and whether it can be fused.

    Attributes:
        bn: Dotted name of the batch norm.
        conv: Dotted name of the preceding convolution; empty if there is none.
        reason: Why the two cannot be fused; empty if they can.
    """

    bn: str
    conv: str = ""
    reason: str = ""


def find_conv_bn(module: nn.Module) -> tuple[ConvBN, ...]:
    """Find the batch norms of a model and the convolutions that they can be fused into.

    The two must have the same parent, whose forward, traced by `torch.fx` along all its branches,
    calls each once and passes the output of the convolution to the batch norm and nothing else.
    Neither may be shared, share tensors with another module or have hooks.

    Args:
        module: The model. Not modified.

    Returns:
        One row for each batch norm, in the order of `torch.nn.Module.named_modules`.
    """
    counts = Counter(id(m) for _, m in module.named_modules(remove_duplicate=False))
    counts += Counter(
        id(tensor) for submodule in module.modules() for tensor in _tensors(submodule)
    )
    rows = {}
    for prefix, parent in module.named_modules():
        if _is_container(parent) and parent is not module:
            continue
        layers = dict(_own_layers(parent))
        norms = [name for name, layer in layers.items() if isinstance(layer, _BatchNorm)]
        if not norms:
            continue
        feeders, failure = _feeders(parent, layers)
        dot = f"{prefix}." if prefix else ""
        for name in norms:
            conv, reason = feeders.get(name, ("", failure or "follows no convolution"))
            reason = reason or _obstacle(layers[conv], layers[name], counts)
            rows[dot + name] = ConvBN(dot + name, conv and dot + conv, reason)
    if isinstance(module, _BatchNorm):
        rows[""] = ConvBN("", reason="is the whole model")
    return tuple(rows[name] for name, _ in module.named_modules() if name in rows)


def _is_container(module: nn.Module) -> bool:
    """Check whether a module has no forward, as `torch.nn.ModuleList`."""
    return type(module).forward is nn.Module.forward


def _own_layers(parent: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield the layers that the forward of a module calls: its children, also in containers."""
    for name, child in parent.named_children():
        yield prefix + name, child
        if _is_container(child):
            yield from _own_layers(child, f"{prefix}{name}.")


def _feeders(
    parent: nn.Module, layers: Mapping[str, nn.Module]
) -> tuple[dict[str, tuple[str, str]], str]:
    """Find the convolution before each batch norm among the layers of a module.

    Returns:
        For each norm, the convolution and why they cannot be fused, or ``''``; and why the forward
        could not be traced, or ``''``.
    """
    if not any(isinstance(layer, _ConvNd) for layer in layers.values()):
        return {}, ""
    if type(parent).forward is nn.Sequential.forward:
        pairs = pairwise(parent.named_children())
        return {bn: (conv, "") for (conv, m), (bn, _) in pairs if isinstance(m, _ConvNd)}, ""
    try:
        with eval_mode(parent), _layers_called_in_turn(parent):
            graphs = trace_paths(parent)
    except UntraceableError as error:
        return {}, f"the forward of {type(parent).__name__} cannot be traced ({error})"
    feeders: dict[str, tuple[str, str]] = {}
    for graph in graphs:
        for name, (conv, reason) in _feeders_in(graph, layers).items():
            known, known_reason = feeders.setdefault(name, (conv, reason))
            if known != conv:
                reason = "it follows different convolutions"
            feeders[name] = (conv, known_reason or reason)
    for graph in graphs:
        called = {node.target for node in graph.nodes if node.op == "call_module"}
        for name, (conv, reason) in feeders.items():
            if (name in called) is not (conv in called):
                feeders[name] = (conv, reason or "not every path through the forward calls both")
    return feeders, ""


def _feeders_in(graph: fx.Graph, layers: Mapping[str, nn.Module]) -> dict[str, tuple[str, str]]:
    """Find the convolution before each batch norm on one path through a forward."""
    calls = Counter(node.target for node in graph.nodes if node.op == "call_module")
    feeders: dict[str, tuple[str, str]] = {}
    for node in graph.nodes:
        if node.op != "call_module" or len(node.args) != 1 or node.kwargs:
            continue
        source = node.args[0]
        if not (isinstance(source, fx.Node) and source.op == "call_module"):
            continue
        conv, name = str(source.target), str(node.target)
        if not isinstance(layers.get(conv), _ConvNd) or name not in layers:
            continue
        reason = ""
        if len(source.users) > 1:
            reason = "the output of the convolution is used elsewhere too"
        elif calls[name] > 1 or calls[conv] > 1:
            reason = "the forward calls it more than once"
        feeders[name] = (conv, reason)
    return feeders


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
    """Return why a convolution and the following batch norm cannot be fused, or ``''``."""
    for layer in (conv, bn):
        tensors = _tensors(layer)
        if any(is_lazy(tensor) for tensor in tensors):
            return "has no shape yet"
        if counts[id(layer)] > 1 or any(counts[id(tensor)] > 1 for tensor in tensors):
            return "is shared with another part of the model"
        if layer._forward_hooks or layer._forward_pre_hooks:
            return "has hooks"
        if "forward" in vars(layer):  # for example by `turn_on_efficient_conv_bn_eval`
            return "has a forward attribute"
    if not isinstance(getattr(bn, "running_mean", None), Tensor):
        return "normalizes with the statistics of each batch"
    if type(bn).forward not in _PLAIN_NORMS:
        return f"{type(bn).__name__} is not a plain batch norm"
    if "weight" not in conv._parameters:
        return "the weight of the convolution is computed in each forward"
    if conv.out_channels != bn.num_features:
        return "the convolution has another number of channels"
    if not _is_linear(conv):
        return f"{type(conv).__name__} is not linear in its weight"
    return ""


def scaled_weight(conv: Any, weight: Tensor, scale: Tensor) -> Tensor:
    """Multiply the weight of a convolution by a factor for each output channel."""
    spatial = [1] * (weight.dim() - 2)
    if not isinstance(conv, _ConvTransposeNd):
        return weight * scale.view(-1, 1, *spatial)
    # The weight is (C_in, C_out / groups, *); the first axis consists of groups.
    factors = scale.view(conv.groups, 1, -1, *spatial)
    by_group = weight.reshape(conv.groups, -1, *weight.shape[1:])
    return (by_group * factors).flatten(0, 1)


def _tensors(module: nn.Module) -> list[Tensor]:
    """Return the parameters and buffers of a module without its children."""
    slots = (*module._parameters.values(), *module._buffers.values())
    return [tensor for tensor in slots if tensor is not None]


def _is_linear(conv: Any) -> bool:
    """Check whether a scaled weight gives a scaled output, numerically if the class is unknown."""
    if type(conv).forward in _LINEAR:
        return True
    trial = copy.deepcopy(conv).to_empty(device="cpu").double().eval()
    generator = torch.Generator().manual_seed(0)  # leaves the global generator unchanged
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
