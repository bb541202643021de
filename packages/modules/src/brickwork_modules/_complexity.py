"""Parameters and FLOPs of a model, by module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TextIO

import torch
from brickwork_registry.errors import ArgumentTypeError, ArgumentValueError
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from ._eval_mode import eval_mode
from ._flop_counter import count_flops

_UNITS = {"GFLOPs": 1e9, "MFLOPs": 1e6, "KFLOPs": 1e3}


@dataclass(frozen=True)
class ModuleComplexity:
    """Parameters and FLOPs of a module, including its submodules.

    Attributes:
        name: Dotted name; empty for the model itself.
        kind: Name of the class.
        parameters: Number of trainable parameters.
        flops: Multiply-adds of the forward pass for one sample. A module that occurs in several
            places has one row with those of all its calls.
    """

    name: str
    kind: str
    parameters: int
    flops: float


@dataclass(frozen=True)
class Complexity:
    """Parameters and FLOPs of a model; prints as a table.

    Attributes:
        modules: All modules in the order of `torch.nn.Module.named_modules`, the model first.
    """

    modules: tuple[ModuleComplexity, ...]

    @property
    def parameters(self) -> int:
        """Number of trainable parameters."""
        return self.modules[0].parameters

    @property
    def flops(self) -> float:
        """Multiply-adds of the forward pass for one sample."""
        return self.modules[0].flops

    def table(self, depth: int | None = None) -> str:
        """Return a table of the modules.

        Args:
            depth: Number of levels to show. None means all.

        Returns:
            A line for each module: name, class, parameters and FLOPs with their percentages.
        """
        rows = [("module", "class", "parameters", "", "FLOPs", "")]
        for module in self.modules:
            level = module.name.count(".") + 1 if module.name else 0
            if depth is not None and level > depth:
                continue
            rows.append(
                (
                    "  " * level + (module.name.rpartition(".")[2] or "(model)"),
                    module.kind,
                    params_to_string(module.parameters),
                    f"{module.parameters / max(self.parameters, 1):.1%}",
                    flops_to_string(module.flops, None),
                    f"{module.flops / max(self.flops, 1):.1%}",
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            f"{name:{widths[0]}}  {kind:{widths[1]}}"
            + "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths[2:], strict=True))
            for name, kind, *cells in rows
        )

    def __str__(self) -> str:
        return self.table()


def count_complexity(
    model: nn.Module,
    input_shape: tuple[int, ...],
    input_constructor: Callable[[tuple[int, ...]], Mapping[str, Any]] | None = None,
) -> Complexity:
    """Count the parameters of a model and the FLOPs of its forward pass in eval mode.

    Operators are counted as they run, called by a module or as a function: matrix products,
    convolutions and attention by `torch.utils.flop_counter.FlopCounterMode`; biases of
    convolutions, activations and upsampling with one multiply-add per element of the output;
    pooling with one per element of the input; norms with one, or two with a learnable weight.
    Additions and copies of tensors are not counted. On the meta device nothing is computed.

    Args:
        model: The model. Not modified.
        input_shape: Shape of one sample, without the batch.
        input_constructor: Function of `input_shape` that returns the keyword arguments of the
            forward pass. None means one argument, a batch of one sample of zeros.

    Returns:
        The counts for one sample.

    Raises:
        TypeError: If `model` is not a module or `input_shape` not a tuple.
        ValueError: If `input_shape` is empty.
    """
    if not isinstance(model, nn.Module):
        raise ArgumentTypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    if not isinstance(input_shape, tuple):
        raise ArgumentTypeError(
            f"input_shape must be a tuple such as (3, 224, 224), got {input_shape!r}"
        )
    if not input_shape:
        raise ArgumentValueError("input_shape must have at least one size, got ()")
    args: tuple[Tensor, ...] = ()
    kwargs: dict[str, Any] = {}
    if input_constructor is not None:
        kwargs.update(input_constructor(input_shape))
    else:
        like = next(model.parameters(), torch.empty(()))
        args = (like.new_zeros((1, *input_shape)),)
    from ._flop_rules import RULES  # imports triton, which is slow

    with eval_mode(model), torch.no_grad(), count_flops(model, RULES) as counts:
        model(*args, **kwargs)

    def flops(module: nn.Module) -> int:
        """Return the count of a module, or that of its children if it was not called."""
        if module in counts.by_module:
            return counts.by_module[module]
        return sum(flops(child) for child in module.children())

    batch_size = _batch_size((*args, *kwargs.values()))
    return Complexity(
        tuple(
            ModuleComplexity(
                name,
                type(module).__name__,
                get_model_parameters_number(module),
                (flops(module) if name else counts.total) / batch_size,
            )
            for name, module in model.named_modules()
        )
    )


def get_model_complexity_info(
    model: nn.Module,
    input_shape: tuple[int, ...],
    print_per_layer_stat: bool = True,
    as_strings: bool = True,
    input_constructor: Callable[[tuple[int, ...]], Mapping[str, Any]] | None = None,
    flush: bool = False,
    ost: TextIO | None = None,
) -> tuple[str, str] | tuple[float, int]:
    """Return, and print, FLOPs and parameters of a model; `count_complexity` returns data.

    Args:
        model: As for `count_complexity`.
        input_shape: Shape of one sample, without the batch.
        print_per_layer_stat: Whether to print the model with the counts of each module.
        as_strings: Whether to return strings with units.
        input_constructor: As for `count_complexity`.
        flush: Whether to flush the output.
        ost: Stream to print to. None means `sys.stdout`.

    Returns:
        FLOPs (a multiply-add counts as one) and number of parameters, as numbers or as strings
        such as ``('4.09 GFLOPs', '25.56 M')``.

    Raises:
        TypeError: As for `count_complexity`.
        ValueError: As for `count_complexity`.
    """
    complexity = count_complexity(model, input_shape, input_constructor)
    if print_per_layer_stat:
        print(_annotated(model, complexity), file=ost or sys.stdout, flush=flush)
    if as_strings:
        return flops_to_string(complexity.flops), params_to_string(complexity.parameters)
    return complexity.flops, complexity.parameters


def _annotated(model: nn.Module, complexity: Complexity) -> str:
    """Return the representation of a model with the counts of each module."""
    rows = dict(zip(model.modules(), complexity.modules, strict=True))

    def extra_repr(module: nn.Module) -> str:
        row = rows[module]
        counts = (
            params_to_string(row.parameters, "M", 3),
            f"{row.parameters / max(complexity.parameters, 1):.3%} Params",
            flops_to_string(row.flops, "GFLOPs", 3),
            f"{row.flops / max(complexity.flops, 1):.3%} FLOPs",
            type(module).extra_repr(module),
        )
        return ", ".join(counts)

    try:
        for module in rows:
            vars(module)["extra_repr"] = partial(extra_repr, module)
        return repr(model)
    finally:
        for module in rows:
            del vars(module)["extra_repr"]


def get_model_parameters_number(model: nn.Module) -> int:
    """Return the number of trainable parameters of a model.

    Args:
        model: The model.

    Returns:
        Number of elements of all parameters that require a gradient.
    """
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def flops_to_string(flops: float, units: str | None = "GFLOPs", precision: int = 2) -> str:
    """Format a number of FLOPs with a unit.

    Args:
        flops: The number.
        units: ``'GFLOPs'``, ``'MFLOPs'``, ``'KFLOPs'`` or ``'FLOPs'``; None selects the unit.
        precision: Number of decimal places.

    Returns:
        The formatted number.

    Example:
        >>> flops_to_string(2e5, 'MFLOPs'), flops_to_string(2e5, None)
        ('0.2 MFLOPs', '200.0 KFLOPs')
    """
    if units is None:
        units = next((unit for unit, size in _UNITS.items() if flops >= size), "FLOPs")
    if units not in _UNITS:
        return f"{flops} FLOPs"
    return f"{round(flops / _UNITS[units], precision)} {units}"


def params_to_string(num_params: float, units: str | None = None, precision: int = 2) -> str:
    """Format a number of parameters with a unit.

    Args:
        num_params: The number.
        units: ``'M'``, ``'K'`` or ``''``; None selects the unit (then a lowercase ``'k'``).
        precision: Number of decimal places.

    Returns:
        The formatted number.

    Example:
        >>> params_to_string(1e9), params_to_string(2e5), params_to_string(2e5, 'M')
        ('1000.0 M', '200.0 k', '0.2 M')
    """
    if units is None:
        units = "M" if num_params >= 1e6 else "k" if num_params >= 1e3 else ""
    size = {"M": 1e6, "K": 1e3, "k": 1e3}.get(units)
    return str(num_params) if size is None else f"{round(num_params / size, precision)} {units}"


def _batch_size(values: tuple[Any, ...]) -> int:
    """Return the size of the first dimension of the first tensor."""
    for value in tree_leaves(values):
        if isinstance(value, Tensor) and value.dim():
            return max(len(value), 1)
    return 1
