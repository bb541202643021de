"""A module tree walked once, so that no rule has to walk it again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from torch import nn


class Tree:
    """The modules below `root` in the order in which `torch.nn.Module.apply` visits them.

    Children come before their parent, so each module's descendants and itself are one slice of
    the visits. A module that hangs in two places is visited twice, as `apply` does: each visit
    draws.

    Args:
        root: The outermost module.
    """

    def __init__(self, root: nn.Module) -> None:
        self.modules: list[nn.Module] = []
        self._spans: dict[int, tuple[int, int]] = {}
        self._names: list[str] | None = None
        self._found: dict[object, list[int]] = {}
        self._visit(root)

    def _visit(self, module: nn.Module) -> None:
        start = len(self.modules)
        for child in dict.fromkeys(module._modules.values()):  # as `children()`, but quicker
            if child is not None:
                self._visit(child)
        self.modules.append(module)
        self._spans[id(module)] = start, len(self.modules)

    def __contains__(self, module: nn.Module) -> bool:
        return id(module) in self._spans

    @property
    def names(self) -> Sequence[str]:
        """The dotted name of each visit, the root's is empty."""
        if self._names is None:
            self._names = list(_names(self.modules[-1], ""))
        return self._names

    def below(self, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
        """Yield each visit below `module`, and of itself, with its name relative to it."""
        start, stop = self._spans[id(module)]
        skip = len(self.names[stop - 1])
        for at in range(start, stop):
            yield self.names[at][skip:].removeprefix("."), self.modules[at]

    def select(
        self, module: nn.Module, key: object, wanted: Callable[[type[nn.Module]], bool]
    ) -> Sequence[nn.Module]:
        """Find the visits below `module` whose class is `wanted`.

        The whole tree is searched once for each `key`, so that many small modules with the same
        rule, or modules nested in each other, cost no more than what they select.

        Args:
            module: Where to look: its descendants and itself.
            key: Stands for `wanted`; hashable.
            wanted: Whether modules of a class are meant.

        Returns:
            The modules in the order of their visits.
        """
        found = self._found.get(key)
        if found is None:
            answers: dict[type[nn.Module], bool] = {}
            found = []
            for at, one in enumerate(self.modules):
                kind = type(one)
                answer = answers.get(kind)
                if answer is None:
                    answer = answers[kind] = wanted(kind)
                if answer:
                    found.append(at)
            self._found[key] = found
        start, stop = self._spans[id(module)]
        modules = self.modules
        return [modules[at] for at in found[bisect_left(found, start) : bisect_left(found, stop)]]


def _names(module: nn.Module, name: str) -> Iterator[str]:
    for child_name, child in module.named_children():
        yield from _names(child, f"{name}.{child_name}" if name else child_name)
    yield name
