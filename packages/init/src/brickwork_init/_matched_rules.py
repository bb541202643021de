"""What the rules of a model select, without initializing anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from ._initialize import build_steps, find_part, only_fills


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """A rule of a model, and what it selects.

    Args:
        module: Dotted name of the module whose rule it is; empty for the model itself.
        rule: The initializer, as text.
        names: Dotted names of the parameters that it fills, in order; empty for an initializer
            that loads a checkpoint, or has code of its own.
    """

    module: str
    rule: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule} of {self.module or 'the model'}: {', '.join(self.names) or 'nothing'}"


def matched_rules(model: nn.Module) -> list[MatchedRule]:
    """Return what the rules of a model select, in the order in which ``init_weights`` applies them.

    Nothing is drawn or written, no checkpoint is read, and user-defined code does not run.

    Args:
        model: The model.

    Returns:
        A row for each rule of each ``init_cfg``, outer modules first.
    """
    return list(_matched_below(model, ""))


def _matched_below(module: nn.Module, path: str) -> Iterator[MatchedRule]:
    prefix = f"{path}." if path else ""
    init_cfg: Any = getattr(module, "init_cfg", None) or ()
    for name, initializer in build_steps(init_cfg):
        part, below = module, prefix
        if name is not None:
            part, below = find_part(module, name, init_cfg), f"{prefix}{name}."
        names = []
        if only_fills(initializer):
            if not initializer.selects:
                continue  # only its override selects something
            names = [below + name for name in initializer.select(part)]
        yield MatchedRule(path, repr(initializer), tuple(names))
    for name, child in module.named_children():
        if hasattr(child, "init_weights"):
            yield from _matched_below(child, prefix + name)
