"""Parameters and FLOPs of a model, module by module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from ._flop_counter import count_flops

_UNITS = {"GFLOPs": 1e9, "MFLOPs": 1e6, "KFLOPs": 1e3}


@dataclass(frozen=True)
class ModuleComplexity:
    """What one module costs, with all that is in it.

    Args:
        name: Dotted name; empty for the model itself.
        kind: Name of its class.
        parameters: Number of parameters that are trained.
        flops: Multiply-adds in the forward of one sample.
    """

    name: str
    kind: str
    parameters: int
    flops: float


@dataclass(frozen=True)
class Complexity:
    """What a model costs; as text, a table.

    Args:
        modules: Every module in the order of `torch.nn.Module.named_modules`, the model first.
    """

    modules: tuple[ModuleComplexity, ...]

    @property
    def parameters(self) -> int:
        """Number of parameters that are trained."""
        return self.modules[0].parameters

    @property
    def flops(self) -> float:
        """Multiply-adds in the forward of one sample."""
        return self.modules[0].flops

    def table(self, depth: int | None = None) -> str:
        """Write the modules as a table.

        Args:
            depth: How many levels of names to show. Default: all.

        Returns:
            A line for each module: name, class, parameters and FLOPs with their shares.
        """
        rows = [("module", "class", "parameters", "", "FLOPs", "")]
        for one in self.modules:
            level = one.name.count(".") + 1 if one.name else 0
            if depth is not None and level > depth:
                continue
            rows.append(
                (
                    "  " * level + (one.name.rpartition(".")[2] or "(model)"),
                    one.kind,
                    params_to_string(one.parameters),
                    f"{one.parameters / max(self.parameters, 1):.1%}",
                    flops_to_string(one.flops, None),
                    f"{one.flops / max(self.flops, 1):.1%}",
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
    """Count the parameters of a model, and the FLOPs of its forward in eval mode.

    Counted as they run, whether called as a module or as a function: products of matrices,
    convolutions and attention by `torch.utils.flop_counter.FlopCounterMode`; a bias of a
    convolution, activations and upsampling one per element of the output; pooling one per
    element of the input; norms one, with factors two. Additions of tensors and moves are free.
    On a model on the meta device this computes nothing.

    Args:
        model: The model; left as it was.
        input_shape: Shape of one sample, without the batch.
        input_constructor: Called with `input_shape`, gives the keyword arguments for the
            forward. Default: one argument, a batch of one sample of zeros.

    Returns:
        The counts, per sample.

    Raises:
        TypeError: If `model` is no module or `input_shape` no tuple.
        ValueError: If `input_shape` is empty.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, but got {type(model).__name__}")
    if not isinstance(input_shape, tuple):
        raise TypeError(f"input_shape must be a tuple, as (3, 224, 224), but got {input_shape!r}")
    if not input_shape:
        raise ValueError("input_shape must have at least one size, but got ()")
    args: tuple[Tensor, ...] = ()
    kwargs: dict[str, Any] = {}
    if input_constructor is not None:
        kwargs.update(input_constructor(input_shape))
    else:
        like = next(model.parameters(), torch.empty(()))
        args = (like.new_zeros((1, *input_shape)),)
    from ._flop_rules import RULES  # imports triton, which is slow

    with count_flops(model, RULES) as counts:
        model(*args, **kwargs)

    def flops(module: nn.Module) -> int:
        """Return the count of a module; of a container that is not called, that of its parts."""
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
    """Tell, and print, what a model costs; `count_complexity` gives it as data.

    Args:
        model: As for `count_complexity`, like the next.
        input_shape: Shape of one sample, without the batch.
        print_per_layer_stat: Whether to print the table of all modules.
        as_strings: Whether to return texts with units.
        input_constructor: As for `count_complexity`.
        flush: Whether to flush what is printed.
        ost: Where to print to. Default: `sys.stdout`.

    Returns:
        FLOPs (a multiply-add counts as one) and the number of parameters, as numbers or as texts
        like ``('4.09 GFLOPs', '25.56 M')``.

    Raises:
        TypeError: As for `count_complexity`.
        ValueError: The same.
    """
    found = count_complexity(model, input_shape, input_constructor)
    if print_per_layer_stat:
        print(found.table(), file=ost or sys.stdout, flush=flush)
    if as_strings:
        return flops_to_string(found.flops), params_to_string(found.parameters)
    return found.flops, found.parameters


def get_model_parameters_number(model: nn.Module) -> int:
    """Count the parameters of a model that are trained.

    Args:
        model: The model.

    Returns:
        How many numbers there are in parameters that require a gradient.
    """
    return sum(one.numel() for one in model.parameters() if one.requires_grad)


def flops_to_string(flops: float, units: str | None = "GFLOPs", precision: int = 2) -> str:
    """Write a number of FLOPs with a unit.

    Args:
        flops: The number.
        units: ``'GFLOPs'``, ``'MFLOPs'``, ``'KFLOPs'`` or ``'FLOPs'``; None: what suits the
            number.
        precision: Digits after the point.

    Returns:
        The text.

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
    """Write a number of parameters with a unit.

    Args:
        num_params: The number.
        units: ``'M'``, ``'K'`` or ``''``; None: what suits the number (then ``'k'`` is small).
        precision: Digits after the point.

    Returns:
        The text.

    Example:
        >>> params_to_string(1e9), params_to_string(2e5), params_to_string(2e5, 'M')
        ('1000.0 M', '200.0 k', '0.2 M')
    """
    if units is None:
        units = "M" if num_params >= 1e6 else "k" if num_params >= 1e3 else ""
    size = {"M": 1e6, "K": 1e3, "k": 1e3}.get(units)
    return str(num_params) if size is None else f"{round(num_params / size, precision)} {units}"


def _batch_size(values: tuple[Any, ...]) -> int:
    """Read the batch off the first tensor that has one."""
    for value in tree_leaves(values):
        if isinstance(value, Tensor) and value.dim():
            return max(len(value), 1)
    return 1
