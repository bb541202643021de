"""Shapes, parameters and FLOPs of a model's parts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from brickwork_modules import count_flops, eval_mode
from torch import Tensor, nn
from torch.func import functional_call


@dataclass(frozen=True)
class Part:
    """A part of a model.

    Attributes:
        name: Name of the submodule.
        shapes: Shapes of the outputs without the batch dimension.
        parameters: Number of parameters.
        flops: Multiply-adds of the convolutions and matrix products for one image, which papers
            call FLOPs.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    parameters: int
    flops: int


@dataclass(frozen=True)
class Summary:
    """The parts of a model in the order of execution; prints as a table.

    Attributes:
        title: Class of the model.
        input_size: Shape ``(C, H, W)`` of the image.
        parts: The parts.
        parameters: Number of parameters of the model.
        flops: Multiply-adds of the model for one image.
    """

    title: str
    input_size: tuple[int, ...]
    parts: tuple[Part, ...]
    parameters: int
    flops: int

    def __str__(self) -> str:
        rows = [("", "output", "parameters", "FLOPs")]
        rows.append(("input", _format_shape(self.input_size), "", ""))
        for part in self.parts:
            shapes = " ".join(_format_shape(shape) for shape in part.shapes)
            rows.append((part.name, shapes, f"{part.parameters:,}", _format_count(part.flops)))
        rows.append((self.title, "", f"{self.parameters:,}", _format_count(self.flops)))
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip()
            for a, b, c, d in rows
        ]
        rule = "-" * (sum(widths) + 6)
        return "\n".join((lines[0], rule, *lines[1:-1], rule, lines[-1]))


def summarize(model: nn.Module, input_size: Sequence[int] = (3, 224, 224)) -> Summary:
    """Measure the parts of a model without computing values.

    The model runs once on the meta device, where tensors have shapes but no values; the model
    itself is neither moved nor changed.

    Args:
        model: The model.
        input_size: Shape ``(C, H, W)`` of the image.

    Returns:
        The summary, which prints as a table.
    """
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    meta = {name: tensor.detach().to("meta") for name, tensor in tensors.items()}
    image = torch.empty(1, *input_size, device="meta")
    shapes: dict[str, tuple[tuple[int, ...], ...]] = {}
    with ExitStack() as stack:
        stack.enter_context(eval_mode(model))
        stack.enter_context(torch.no_grad())
        counts = stack.enter_context(count_flops(model))
        for name, module in model.named_modules():
            if name and name.count(".") < 2:
                hook = module.register_forward_hook(partial(_record_shapes, shapes, name))
                stack.callback(hook.remove)
        functional_call(model, meta, (image,))
    parts = []
    for name, shape in shapes.items():
        module = model.get_submodule(name)
        parameters = sum(p.numel() for p in module.parameters())
        # The submodules of a ModuleList, which is not called itself, are parts.
        if parameters and name.rpartition(".")[0] not in shapes:
            parts.append(Part(name, shape, parameters, counts.by_module[module]))
    return Summary(
        type(model).__name__,
        tuple(input_size),
        tuple(parts),
        sum(p.numel() for p in model.parameters()),
        counts.total,
    )


def _record_shapes(
    shapes: dict[str, tuple[tuple[int, ...], ...]],
    name: str,
    _module: nn.Module,
    _inputs: Any,
    outputs: Any,
) -> None:
    """Record the shapes of a module's outputs, without the batch; a forward hook."""
    maps = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    shapes[name] = tuple(tuple(x.shape[1:]) for x in maps)


def _format_shape(shape: Sequence[int]) -> str:
    return "x".join(str(size) for size in shape)


def _format_count(number: int) -> str:
    for unit, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= unit:
            return f"{number / unit:.2f} {name}"
    return str(number)
