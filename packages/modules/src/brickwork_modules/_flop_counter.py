"""Multiply-adds of a forward pass, by module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

if TYPE_CHECKING:
    from torch.utils.flop_counter import FlopCounterMode

#: FLOPs by operator of `torch.ops.aten`, as `torch.utils.flop_counter.FlopCounterMode` takes them:
#: called with the shapes of the arguments and with ``out_shape``, and a multiply-add counts twice.
FlopRules = Mapping[Any, Callable[..., int]]


@dataclass
class FlopCounts:
    """Multiply-adds of a forward pass.

    Attributes:
        total: Multiply-adds of everything that ran.
        by_module: Multiply-adds that ran in the calls of each module; a module that was not
            called is missing.
    """

    total: int = 0
    by_module: dict[nn.Module, int] = field(default_factory=dict)


@contextmanager
def count_flops(model: nn.Module, rules: FlopRules | None = None) -> Iterator[FlopCounts]:
    """Count the multiply-adds of a model and of each of its modules while the block runs.

    Convolutions, matrix products and attention are counted by
    `torch.utils.flop_counter.FlopCounterMode`. The block runs without the fused kernels that hide
    products from the counter. On the meta device nothing is computed.

    Args:
        model: The model; call it inside the block.
        rules: How to count further operators.

    Yields:
        The counts, complete at the end of the block.

    Example:
        >>> model = nn.Linear(3, 2)
        >>> with count_flops(model) as counts:
        ...     output = model(torch.zeros(5, 3))
        >>> counts.total
        30
    """
    counts = FlopCounts()
    active: Counter[nn.Module] = Counter()
    totals_before: dict[nn.Module, int] = {}

    def enter(module: nn.Module, _inputs: Any) -> None:
        if not active[module]:  # a module that calls itself is counted once
            totals_before[module] = counter.get_total_flops()
        active[module] += 1

    def leave(module: nn.Module, _inputs: Any, _output: Any) -> None:
        active[module] -= 1
        if not active[module]:
            flops = (counter.get_total_flops() - totals_before[module]) // 2
            counts.by_module[module] = counts.by_module.get(module, 0) + flops

    with ExitStack() as stack:
        counter = stack.enter_context(counting_mode(rules))
        for module in model.modules():
            stack.callback(module.register_forward_pre_hook(enter).remove)
            stack.callback(module.register_forward_hook(leave).remove)
        yield counts
    counts.total = counter.get_total_flops() // 2


@contextmanager
def counting_mode(rules: FlopRules | None = None) -> Iterator[FlopCounterMode]:
    """Run a block under torch's counter, without fused kernels that hide products from it."""
    from torch.utils.flop_counter import FlopCounterMode  # imports triton, which is slow

    fastpath = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        mode = FlopCounterMode(display=False, custom_mapping=dict(rules or {}))
        with sdpa_kernel(SDPBackend.MATH), mode as counter:
            yield counter
    finally:
        torch.backends.mha.set_fastpath_enabled(fastpath)
