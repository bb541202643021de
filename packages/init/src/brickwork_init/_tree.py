"""The modules of a model, collected once for all rules."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from torch import nn


class Tree:
    """The modules below `root` in the order in which `torch.nn.Module.apply` visits them.

    Children come before their parent, so each module with its descendants is one slice of the
    visits. A module that is used in two places is visited twice, as by `apply`: each visit draws.

    Args:
        root: The outermost module.

    Attributes:
        modules: The modules, one for each visit.
        depths: For each module, how many levels it is below `root`.
    """

    def __init__(self, root: nn.Module) -> None:
        self.modules: list[nn.Module] = []
        self.depths: dict[nn.Module, int] = {}
        self._spans: dict[nn.Module, tuple[int, int]] = {}
        self._names: list[str] | None = None
        self._selected: dict[object, tuple[list[int], list[nn.Module]]] = {}
        self._visit(root, 0)

    def _visit(self, module: nn.Module, depth: int) -> None:
        start = len(self.modules)
        self.depths[module] = depth
        for child in dict.fromkeys(module._modules.values()):  # as `children()`, but quicker
            if child is None:
                continue
            if child._modules:
                self._visit(child, depth + 1)
            else:
                self.depths[child] = depth + 1
                self.modules.append(child)
        self.modules.append(module)
        self._spans[module] = start, len(self.modules)

    @property
    def names(self) -> Sequence[str]:
        """The dotted name of each visit; empty for the root."""
        if self._names is None:
            self._names = list(_names(self.modules[-1], ""))
        return self._names

    def below(self, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
        """Yield each visit below `module`, and of itself, with its name relative to it."""
        start, stop = self._spans[module]
        skip = len(self.names[stop - 1])
        for at in range(start, stop):
            yield self.names[at][skip:].removeprefix("."), self.modules[at]

    def levels(self, outer: nn.Module, inner: nn.Module) -> int | None:
        """Return how many levels `outer` is above `inner`; None if it is not above it."""
        depths = self.depths
        if outer not in depths or inner not in depths or depths[inner] < depths[outer]:
            return None
        return depths[inner] - depths[outer]

    def select(
        self, module: nn.Module, key: object, wanted: Mapping[type[nn.Module], bool]
    ) -> Sequence[nn.Module]:
        """Find the visits below `module` whose class is `wanted`.

        The whole tree is searched once for each `key`, so that modules nested in each other cost
        no more than what they select.

        Args:
            module: The module; it is searched, too.
            key: Hashable key of `wanted`.
            wanted: By class, whether its modules are wanted.

        Returns:
            The modules in the order of their visits.
        """
        selected = self._selected.get(key)
        if selected is None:
            visits = [at for at, other in enumerate(self.modules) if wanted[type(other)]]
            selected = self._selected[key] = visits, [self.modules[at] for at in visits]
        visits, modules = selected
        start, stop = self._spans[module]
        return modules[bisect_left(visits, start) : bisect_left(visits, stop)]


def _names(module: nn.Module, name: str) -> Iterator[str]:
    for child_name, child in module.named_children():
        yield from _names(child, f"{name}.{child_name}" if name else child_name)
    yield name
