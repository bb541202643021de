"""Symbolic traces of the forward of one module, down to the calls of its children."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Collection, Iterator
from typing import Any

from torch import fx, nn
from torch.fx.proxy import Attribute
from torch.nn.modules.conv import _ConvNd

_MAX_PATHS = 32


class UntraceableError(Exception):
    """The forward of a module cannot be traced."""


def trace_paths(module: nn.Module) -> list[fx.Graph]:
    """Trace the forward of a module, along every branch that depends on a tensor.

    Children are calls in the graphs. A child whose output is used as a list is traced through, so
    that the list is one of Python. ``requires_grad`` is False, as in inference.

    Args:
        module: The module, in eval mode.

    Returns:
        A graph for each path.

    Raises:
        UntraceableError: If the forward cannot be traced, or has too many paths.
    """
    inlined: set[str] = set()
    while True:
        try:
            return _trace_branches(module, inlined)
        except _ListUsedError as request:
            inlined.add(request.child)
        except UntraceableError:
            raise
        except Exception as error:  # a forward may do anything with a proxy
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise UntraceableError(reason) from error


def _trace_branches(module: nn.Module, inlined: Collection[str]) -> list[fx.Graph]:
    parameters = inspect.signature(module.forward).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    graphs: list[fx.Graph] = []
    pending: list[tuple[bool, ...]] = [()]
    while pending:
        if len(graphs) == _MAX_PATHS:
            raise UntraceableError(f"more than {_MAX_PATHS} paths depend on tensors")
        tracer = _Tracer(pending.pop(), inlined)
        planned = len(tracer.branches)
        graphs.append(tracer.trace(module, defaults))
        taken = tuple(tracer.branches)
        pending += [(*taken[:index], True) for index in range(planned, len(taken))]
    return graphs


class _ListUsedError(Exception):
    """The output of a child is used as a list."""

    def __init__(self, child: str) -> None:
        super().__init__(child)
        self.child = child


class _Tracer(fx.Tracer):
    """Tracer that takes the given branches first, and is False at the following ones."""

    def __init__(self, branches: tuple[bool, ...], inlined: Collection[str]) -> None:
        super().__init__()
        self.branches = list(branches)
        self._inlined = inlined
        self._position = 0

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name not in self._inlined

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Value(node, self)

    def to_bool(self, obj: fx.Proxy) -> bool:
        if isinstance(obj, Attribute) and obj.attr == "requires_grad":
            return False
        if self._position == len(self.branches):
            self.branches.append(False)
        self._position += 1
        return self.branches[self._position - 1]

    def iter(self, obj: fx.Proxy) -> Iterator[Any]:
        return iter([obj[index] for index in range(len(obj))])  # type: ignore[index]  # a proxy

    def length(self, node: fx.Node) -> int:
        """Return the length of ``x.shape[2:]``, for a module whose convolutions agree on it.

        Raises:
            _ListUsedError: If the value is the output of a child, which may be a list.
            UntraceableError: Otherwise.
        """
        if node.op == "call_module":
            raise _ListUsedError(str(node.target))
        source = node.args[0] if node.target is operator.getitem else None
        ranks = {len(m.kernel_size) + 2 for m in self.root.modules() if isinstance(m, _ConvNd)}
        if isinstance(source, fx.Node) and source.target is getattr and len(ranks) == 1:
            part = node.args[1]
            if source.args[1] == "shape" and isinstance(part, slice):
                return len(range(ranks.pop())[part])
        raise UntraceableError(f"the length of {node} depends on the input")


class _Value(fx.Proxy):
    """Proxy that has a length if its tracer knows it."""

    def __len__(self) -> int:
        return self.tracer.length(self.node)  # type: ignore[attr-defined,no-any-return]
