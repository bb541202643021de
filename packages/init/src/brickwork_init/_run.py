"""One outermost initialisation: what may be written, what was, and what to undo if it raises."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from ._provenance import HISTORIES, Histories, Kind, Write, named_tensors
from ._sharded import fill_tensor
from ._tree import Tree
from ._watch import Watch


class Run:
    """What is known while the outermost ``init_weights`` or `initialize` runs, and only then.

    Args:
        root: The outermost module.
        force: Whether to start over: what was loaded before counts for nothing.
        dry: Whether to write down only what would be done.
    """

    def __init__(self, root: nn.Module, *, force: bool = False, dry: bool = False) -> None:
        self.root = root
        self.force = force
        self.dry = dry
        self.rules: list[tuple[Any, Any]] = []  # kept by `initialize`, for like modules
        self.unmatched: dict[tuple[str, type[nn.Module]], str] = {}
        self.undo: list[tuple[Callable[[Any], object], nn.Module]] = []
        self._tree: Tree | None = None
        self._watch: Watch | None = None
        self._watching = False
        self._code: tuple[object, nn.Module] = (type(root), root)
        self._author: Write | None = None
        # Whose ``init_weights`` run, from the outermost in, and how many loads there had been
        self._turns: list[tuple[nn.Module | None, int]] = [(None, 0)]
        self._noted = Histories()
        self._loads: dict[int, int] = {}  # when each tensor was loaded
        self._ticks = 0

    def tree(self, module: nn.Module) -> Tree:
        """Return a tree that holds `module`: that of the outermost module that has a rule.

        Its inner ones come next, and what lies beside it is better walked just before it is
        filled: so a large model is fetched from memory once.
        """
        if not module._modules:
            return Tree(module)
        if self._tree is None or module not in self._tree:
            self._tree = Tree(module)
        return self._tree

    def _grew(self) -> None:
        """Note that a module was added, so that what was known of the tree no longer holds."""
        self._tree = None

    # -- what may be written ---------------------------------------------------------------

    def may_write(self, tensor: Tensor, kind: Kind) -> bool:
        """Whether a tensor is free to be written by the module whose turn it is.

        A rule leaves alone what was loaded. Code and loaders below the outermost module leave
        alone what was loaded before their turn: by an outer checkpoint, which knows better.
        """
        if self._noted.has_load(tensor):
            return kind is not Kind.RULE and self._loads[id(tensor)] >= self._turns[-1][1]
        if self.force or not HISTORIES.has_load(tensor):
            return True
        return kind is Kind.LOADED or (kind is Kind.CODE and len(self._turns) <= 2)

    # -- what was written ------------------------------------------------------------------

    def fill(self, tensor: Tensor, fill: Callable[[Tensor], object], by: Write) -> None:
        """Fill a tensor unless it is to be left alone."""
        key = id(tensor)
        guarded = key in self._loads or key in HISTORIES.loaded
        if guarded and not self.may_write(tensor, by.kind):
            return
        self._noted.add(tensor, by)
        if not self.dry:
            fill_tensor(tensor, fill)

    def record_load(self, tensor: Tensor, load: Write) -> None:
        """Note that a tensor was loaded."""
        self._noted.add_load(tensor, load)
        self._loads[id(tensor)] = self._ticks
        self._ticks += 1

    def history(self, tensor: Tensor) -> tuple[Write, ...]:
        """Return what is known of a tensor, before this run and in it."""
        new = self._noted.get(tensor)
        return new if self.force and new else HISTORIES.get(tensor) + new

    def wrote(self, tensor: Tensor) -> bool:
        """Whether this run gave a tensor a value."""
        return bool(self._noted.get(tensor))

    def has_load(self, tensor: Tensor) -> bool:
        """Whether a load is among what is known of a tensor."""
        if self._noted.has_load(tensor):
            return True
        return HISTORIES.has_load(tensor) and not (self.force and self.wrote(tensor))

    def commit(self) -> None:
        """Keep what was noted."""
        HISTORIES.add_all(self._noted, afresh=self.force)

    def apply(self, initializer: Callable[[nn.Module], object], module: nn.Module) -> None:
        """Let an initializer do its work on a module."""
        if getattr(initializer, "loads_weights", False):
            if self.dry or self.covered(module, Kind.LOADED):
                return
            if self._loads:  # by an outer checkpoint, perhaps, which is to keep its part
                self.watch(initializer, module, initializer, module)
            else:
                initializer(module)
        elif hasattr(type(initializer).__call__, "_unwatched"):
            initializer(module)
        else:
            self.watch(initializer, module, initializer, module)

    def covered(self, module: nn.Module, kind: Kind = Kind.CODE) -> bool:
        """Whether checkpoints have left nothing of `module` to write."""
        if not (self._loads or HISTORIES.loaded):
            return False
        any_at_all = False
        for _, tensor in named_tensors(module):  # most often the first decides
            if self.may_write(tensor, kind):
                return False
            any_at_all = True
        return any_at_all

    # -- whose turn it is ------------------------------------------------------------------

    def has_turn(self, module: nn.Module) -> bool:
        """Whether the ``init_weights`` of `module` is what runs."""
        return self._turns[-1][0] is module

    def turn(self, module: nn.Module, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the ``init_weights`` of a module: it is the turn of `module` until it returns."""
        self._turns.append((module, self._ticks))
        try:
            return self.watch(type(module), module, method, *args, **kwargs)
        finally:
            self._turns.pop()

    # -- somebody's own code ---------------------------------------------------------------

    @property
    def author(self) -> Write:
        """Whose code runs, as what it writes is noted."""
        if self._author is None:
            by, module = self._code
            kind = Kind.CODE if isinstance(by, type) else Kind.RULE
            if getattr(by, "loads_weights", False):
                kind = Kind.LOADED
            self._author = Write(kind, by, weakref.ref(module))
        return self._author

    def watch(
        self, by: object, module: nn.Module, method: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Call a class's ``init_weights``, or an initializer, noting what it writes as its own."""
        before = watching, _, _ = self._watching, self._code, self._author
        wanted = not hasattr(method, "_unwatched")
        self._code, self._author = (by, module), None
        try:
            if wanted is not watching:
                self._set_watching(wanted)
            return method(*args, **kwargs)
        finally:
            if self._watching is not watching:
                self._set_watching(watching)
            _, self._code, self._author = before

    def _set_watching(self, wanted: bool) -> None:
        if self._watch is None:
            self._watch = Watch(self.root, self._note, self._grew)
        if wanted and not self._watch.entered:
            self._watch.on()
        elif not wanted and self._watch.innermost:
            self._watch.off()
        self._watching = wanted

    def _note(self, tensors: Sequence[Tensor]) -> bool:
        """Note that the author writes tensors; say whether it may."""
        if not self._watching:
            return True
        kind = self.author.kind
        if not all(self.may_write(tensor, kind) for tensor in tensors):
            return False
        if kind is not Kind.LOADED:  # `record_loaded` will say from which file
            for tensor in tensors:
                self._noted.add(tensor, self.author)
        return not self.dry
