"""FLOP counting by methods of a model, as benchmark scripts for mmcv use it."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ._complexity import get_model_parameters_number
from ._flop_counter import counting_mode


@dataclass
class _State:
    """Counts of a model, and what its hooks need; stored on the model as ``_flops_state``."""

    flops: int = 0
    samples: int = 0
    handles: list[RemovableHandle] = field(default_factory=list)
    running: list[tuple[ExitStack, Any]] = field(default_factory=list)


def add_flops_counting_methods(net_main_module: nn.Module) -> nn.Module:
    """Add the other functions of this module to a model as methods.

    Args:
        net_main_module: The model, changed in place.

    Returns:
        The model.

    Example:
        >>> model = add_flops_counting_methods(nn.Linear(3, 2))
        >>> model.start_flops_count()
        >>> output = model(torch.zeros(5, 3))
        >>> model.stop_flops_count()
        >>> model.compute_average_flops_cost()
        (6.0, 8)
    """
    for function in (
        start_flops_count,
        stop_flops_count,
        reset_flops_count,
        compute_average_flops_cost,
    ):
        setattr(net_main_module, function.__name__, function.__get__(net_main_module))
    reset_flops_count(net_main_module)
    return net_main_module


def start_flops_count(self: nn.Module) -> None:
    """Count FLOPs and samples of each forward pass until `stop_flops_count`."""
    from ._flop_rules import RULES  # imports triton, which is slow

    state: Any = self._flops_state

    def enter(_model: nn.Module, inputs: tuple[Any, ...]) -> None:
        stack = ExitStack()
        state.running.append((stack, stack.enter_context(counting_mode(RULES))))
        state.samples += len(inputs[0]) if inputs and isinstance(inputs[0], Tensor) else 1

    def leave(_model: nn.Module, _inputs: Any, _output: Any) -> None:
        stack, counter = state.running.pop()
        stack.close()
        state.flops += counter.get_total_flops() // 2

    stop_flops_count(self)
    state.handles += [
        self.register_forward_pre_hook(enter),
        self.register_forward_hook(leave, always_call=True),
    ]


def stop_flops_count(self: nn.Module) -> None:
    """Stop counting; the counts are kept."""
    state: Any = self._flops_state
    while state.handles:
        state.handles.pop().remove()


def reset_flops_count(self: nn.Module) -> None:
    """Set the counts to zero."""
    state = getattr(self, "_flops_state", None)
    if state is None:
        self._flops_state = _State()  # type: ignore[assignment]  # a plain attribute
    else:
        state.flops = state.samples = 0


def compute_average_flops_cost(self: nn.Module) -> tuple[float, int]:
    """Return the mean FLOPs of a sample (a multiply-add counts as one), and the parameters."""
    state: Any = self._flops_state
    return state.flops / max(state.samples, 1), get_model_parameters_number(self)
