"""A network at a glance: shapes, parameters and FLOPs of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

if TYPE_CHECKING:  # it imports triton, which takes longer than all of this package
    from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Part:
    """A part of a network.

    Attributes:
        name: Its attribute.
        shapes: Shapes of what comes out, without the batch.
        parameters: Number of its parameters.
        flops: Multiply-adds of its convolutions and matrix products for one image, which is
            what papers count as FLOPs.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    parameters: int
    flops: int


@dataclass(frozen=True)
class Summary:
    """The parts of a network, in the order in which an image meets them; prints as a table.

    Attributes:
        title: The network's class.
        input_size: Shape of the image, ``(C, H, W)``.
        parts: The parts.
        parameters: Number of parameters of the whole network.
        flops: Multiply-adds of the whole network for one image.
    """

    title: str
    input_size: tuple[int, ...]
    parts: tuple[Part, ...]
    parameters: int
    flops: int

    def __str__(self) -> str:
        rows = [("", "output", "parameters", "FLOPs")]
        rows.append(("input", _shape(self.input_size), "", ""))
        for part in self.parts:
            shapes = " ".join(_shape(shape) for shape in part.shapes)
            rows.append((part.name, shapes, f"{part.parameters:,}", _short(part.flops)))
        rows.append((self.title, "", f"{self.parameters:,}", _short(self.flops)))
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip()
            for a, b, c, d in rows
        ]
        rule = "-" * (sum(widths) + 6)
        return "\n".join((lines[0], rule, *lines[1:-1], rule, lines[-1]))


def summarize(model: nn.Module, input_size: Sequence[int] = (3, 224, 224)) -> Summary:
    """Measure a network part by part, without computing anything.

    The network runs once on the meta device, where tensors have shapes and no values; the
    network itself is not moved and not changed.

    Args:
        model: The network.
        input_size: Shape of an image, ``(C, H, W)``.

    Returns:
        The summary; print it.
    """
    from torch.utils.flop_counter import FlopCounterMode  # see above

    seen: dict[str, Part] = {}
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    meta = {name: tensor.detach().to("meta") for name, tensor in tensors.items()}
    image = torch.empty(1, *input_size, device="meta")
    counter = FlopCounterMode(display=False)
    with ExitStack() as stack:
        stack.enter_context(_evaluating(model))
        stack.enter_context(torch.no_grad())
        stack.enter_context(counter)
        for name, module in model.named_modules():
            if name and name.count(".") < 2:
                stack.enter_context(_measured(name, module, counter, seen))
        functional_call(model, meta, (image,))
    # A list of modules is never called itself; then its members are the parts.
    parts = [part for name, part in seen.items() if name.rpartition(".")[0] not in seen]
    return Summary(
        type(model).__name__,
        tuple(input_size),
        tuple(parts),
        sum(p.numel() for p in model.parameters()),
        counter.get_total_flops() // 2,
    )


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Put every module into evaluation mode, and back into its own mode after."""
    modes = [(module, module.training) for module in model.modules()]
    for module, _ in modes:
        module.training = False
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def _measured(
    name: str, part: nn.Module, counter: FlopCounterMode, seen: dict[str, Part]
) -> Iterator[None]:
    """Note what goes out of a part and what it costs; parts without parameters are left out."""
    parameters = sum(p.numel() for p in part.parameters())
    before: list[int] = []

    def enter(*_: Any) -> None:
        before.append(counter.get_total_flops())

    def leave(_module: nn.Module, _inputs: Any, outputs: Any) -> None:
        flops = (counter.get_total_flops() - before.pop()) // 2
        maps = [outputs] if isinstance(outputs, Tensor) else list(outputs)
        if parameters:
            shapes = tuple(tuple(x.shape[1:]) for x in maps)
            seen[name] = Part(name, shapes, parameters, flops)

    handles = (part.register_forward_pre_hook(enter), part.register_forward_hook(leave))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _shape(shape: Sequence[int]) -> str:
    return "x".join(str(size) for size in shape)


def _short(number: int) -> str:
    for unit, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= unit:
            return f"{number / unit:.2f} {name}"
    return str(number)
