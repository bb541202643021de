"""An initialization session: the outermost ``init_weights`` or `initialize`, and all inside it.

A session knows which tensors are loaded, and which slots were written and by what. It protects
what was loaded, and writes the provenance records at its end; one that raises leaves no record.
``docs/internals/initialization.md`` has the rules, each with its test.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ._deferred import KEY as DEFERRED
from ._deferred import DeferredTensors
from ._dispatch import storage_key
from ._records import KEY as RECORDS
from ._records import (
    Source,
    modules_below,
    original_slot,
    own_tensors,
    recorded,
    slot_tensor,
    write_record,
)
from ._selection import tensor_of
from ._sharded import fill_tensor, local_tensor
from ._tree import Tree
from ._user_code import UserCodeWatch
from .errors import IneffectiveRuleWarning

_BEFORE = -1  # the time of what was loaded before the session began

_current: ContextVar[Session | None] = ContextVar("brickwork_init.session", default=None)


class Loaded(NamedTuple):
    """A tensor that a checkpoint gave its value; held, so that its ``id`` stays its own."""

    tensor: Tensor
    time: int  # the number of loads before it in the session
    source: Source


class Author(NamedTuple):
    """User-defined code that is running: a method ``init_weights``, or an initializer."""

    kind: str  # as in a `Source`
    text: str
    module: nn.Module  # whose method or rule it is


class Session:
    """What is known while the outermost ``init_weights`` or `initialize` runs, and only then.

    Args:
        root: The outermost module.
        force: Whether to start over: what was loaded before the session does not count.
    """

    def __init__(self, root: nn.Module, *, force: bool = False) -> None:
        self.root = root
        self.force = force
        self.rules: list[tuple[Any, Any]] = []  # a cache of `initialize`, for modules that repeat
        self.loaded: dict[int, Loaded] = {}  # by `id` of the tensor
        # What was loaded before this time is protected: from explicit instructions, nothing is.
        self._protected_before = _BEFORE
        self._loads = 0
        self._writes: list[tuple[nn.Module, str, Source, nn.Module | None]] = []
        self._initialized: list[nn.Module] = []
        self._texts: dict[Any, str] = {}
        self._warned: set[tuple[str, type[nn.Module]]] = set()
        self._kept: set[int] = set()
        self._tree = Tree(root)
        self._watch: UserCodeWatch | None = None
        self._author: Author | None = None  # None while rules are applied
        self._called: nn.Module | None = None  # whose user-defined ``init_weights`` is running
        # The modules with a record, or with tensors that are deferred
        self.noted = [
            module
            for module in self._tree.modules
            if RECORDS in (attributes := module.__dict__) or DEFERRED in attributes
        ]
        for module in () if force else self.noted:
            for tensor, source in recorded(module):
                self.loaded.pop(id(tensor), None)  # a record by its name before parametrization
                if source[0] == "loaded":
                    self.loaded[id(tensor)] = Loaded(tensor, _BEFORE, source)

    def tree(self, module: nn.Module) -> Tree:
        """Return a tree that holds `module`."""
        if module._modules and module in self._tree.depths:
            return self._tree
        return Tree(module)  # a layer, or a module that is not part of the root

    def text(self, initializer: Any) -> str:
        """Return the `repr` of an initializer, computed once."""
        if (text := self._texts.get(initializer)) is None:
            text = self._texts[initializer] = repr(initializer)
        return text

    def is_first(self, rule: str, module: nn.Module) -> bool:
        """Whether no warning of a rule was given for modules of this class."""
        before = len(self._warned)
        self._warned.add((rule, type(module)))
        return len(self._warned) > before

    # -- writes ----------------------------------------------------------------------------

    def fill(
        self,
        module: nn.Module,
        name: str,
        fill: Callable[[Tensor], object],
        source: Source,
        ruled_by: nn.Module,
    ) -> None:
        """Fill a tensor of a module by a rule, unless it is protected."""
        tensor: Tensor | None = module._parameters.get(name)
        if tensor is None:
            if (attribute := tensor_of(module, name)) is None:
                return
            if (slot := _slot_of_alias(module, name, attribute)) is None:
                fill(attribute)  # the draws stay those of mmcv
                if self.is_first(source[1], module):
                    warnings.warn(
                        f"{source[1]} has no effect on {name!r} of {type(module).__name__}, which "
                        "a parametrization computes; initialize before registering it",
                        IneffectiveRuleWarning,
                        stacklevel=3,
                    )
                return
            (module, name), tensor = slot, attribute
        if self.loaded and (key := id(slot_tensor(module, name))) in self.loaded:
            if self.loaded[key].time < self._protected_before:
                return
            del self.loaded[key]
        self._writes.append((module, name, source, ruled_by))
        fill_tensor(tensor, fill)

    def record_load(self, module: nn.Module, name: str, tensor: Tensor, source: Source) -> None:
        """Note that a checkpoint gave a slot its value."""
        self.loaded[id(tensor)] = Loaded(tensor, self._loads, source)
        self._loads += 1
        self._writes.append((module, name, source, None))

    def _record_code(self, module: nn.Module, name: str) -> None:
        """Note that the user-defined code that is running wrote a slot."""
        if self._author is None:
            return
        kind, text, author = self._author
        tensor = slot_tensor(module, name)
        if kind == "loaded" and tensor is not None:
            self.record_load(module, name, tensor, (kind, text, name))
        else:
            source = kind, text, self._tree.levels(author, module)
            self._writes.append((module, name, source, author))

    # -- calls -----------------------------------------------------------------------------

    def is_calling(self, module: nn.Module) -> bool:
        """Whether the user-defined ``init_weights`` of a module is the innermost that runs."""
        return self._called is module

    def is_covered(self, module: nn.Module, before: int | None = None) -> bool:
        """Whether a module has parameters, and all were loaded (before a time)."""
        if not self.loaded:
            return False
        parameters = [p for m in modules_below(module) for p in m._parameters.values()]
        loads = [self.loaded.get(id(p)) for p in parameters if p is not None]
        before = self._loads if before is None else before
        return bool(loads) and all(load is not None and load.time < before for load in loads)

    def call(self, module: nn.Module, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a user-defined ``init_weights``; what was loaded before is put back after it.

        The call of the session's root is an explicit instruction, after which nothing is.

        Args:
            module: The module whose method it is.
            method: The method.
            *args: Its arguments.
            **kwargs: Its arguments.
        """
        author = Author("code", f"init_weights of {type(module).__name__}", module)
        before = _BEFORE if module is self.root else self._loads
        outer, self._called = self._called, module
        try:
            return self._run(author, before, method, *args, **kwargs)
        finally:
            self._called = outer

    def call_initializer(self, initializer: Any, module: nn.Module) -> None:
        """Call an initializer that loads a checkpoint, or has code of its own."""
        loads = getattr(initializer, "loads_weights", False)
        if loads and self.is_covered(module, self._protected_before):
            return  # an outer checkpoint gave it everything
        author = Author("loaded" if loads else "rule", self.text(initializer), module)
        self._run(author, self._protected_before, initializer, module)

    def run_implicit(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function that applies rules and initializes children; protect what is loaded."""
        outer = self._author, self._protected_before
        if self._author is not None:
            self._record_replaced(self._author.module)
            self._set_author(None)
        self._protected_before = self._loads
        try:
            function(*args)
        finally:
            author, self._protected_before = outer
            if author is not None:
                self._set_author(author)

    def _run(
        self, author: Author, before: int, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Call user-defined code, and put back what was loaded before a time."""
        outer = self._author, self._protected_before
        kept = self._keep(author.module, before)
        first_write = len(self._writes)
        self._protected_before = _BEFORE
        self._set_author(author)
        try:
            return function(*args, **kwargs)
        finally:
            self._record_replaced(author.module)
            outer_author, self._protected_before = outer
            self._set_author(outer_author)
            self._put_back(kept, first_write)

    def _set_author(self, author: Author | None) -> None:
        self._author = author
        if author is not None:
            if self._watch is None:
                self._watch = UserCodeWatch(self.root, self._record_code)
            self._watch.resume()
        elif self._watch is not None:
            self._watch.pause()

    def _record_replaced(self, module: nn.Module) -> None:
        if self._watch is not None and (slots := self._watch.find_replaced(module)):
            self._tree = Tree(self.root)  # modules may have been added
            for slot in slots:
                self._record_code(*slot)

    def _keep(self, module: nn.Module, before: int) -> list[tuple[nn.Module, str, Tensor, Loaded]]:
        kept = []
        for owner in modules_below(module) if self.loaded else ():
            for name, tensor in own_tensors(owner):
                loaded = self.loaded.get(id(tensor))
                # A call that this one is part of may have kept the value already.
                if loaded is not None and loaded.time < before and id(tensor) not in self._kept:
                    self._kept.add(id(tensor))
                    kept.append((owner, name, local_tensor(tensor).detach().clone(), loaded))
        return kept

    def _put_back(
        self, kept: list[tuple[nn.Module, str, Tensor, Loaded]], first_write: int
    ) -> None:
        written = {(module, name) for module, name, *_ in self._writes[first_write:]}
        for module, name, value, loaded in kept:
            self._kept.discard(id(loaded.tensor))
            tensor = slot_tensor(module, name)
            if tensor is None or tensor.shape != loaded.tensor.shape:
                continue
            with torch.no_grad():
                local_tensor(tensor).copy_(value)
            self.loaded[id(tensor)] = loaded._replace(tensor=tensor)
            if (module, name) in written:
                self._writes.append((module, name, loaded.source, None))

    # -- the end ---------------------------------------------------------------------------

    def mark_initialized(self, module: nn.Module) -> None:
        """Set ``_is_init`` of a `BaseModule`, until the session raises."""
        vars(module)["_is_init"] = True  # `setattr` of a module costs as much as a fill
        self._initialized.append(module)

    def written(self) -> set[int]:
        """Return the `id` of every tensor that was written."""
        return {id(slot_tensor(module, name)) for module, name, *_ in self._writes}

    def commit(self) -> None:
        """Write the records."""
        if self._watch is not None:
            self._warn_overwritten()
        # One pass, as most of its time goes into fetching a large model from memory.
        last: dict[int, Source] = {}  # by `id` of the tensor
        for module, name, source, _ in self._writes:
            tensor: Tensor | None = module._parameters.get(name)
            if tensor is None and (tensor := module._buffers.get(name)) is None:
                continue  # removed since
            if source[0] == "code":
                source = _adapting(last.get(id(tensor)), source)
            last[id(tensor)] = source
            records = module.__dict__.get(RECORDS)
            if records is None:
                records = module.__dict__[RECORDS] = {}
            records[name] = (tuple(tensor.shape), *source)
        for module in self.noted:  # other slots of tied tensors
            for name, tensor in own_tensors(module):
                if id(tensor) in last:
                    write_record(module, name, tensor, last[id(tensor)])

    def _warn_overwritten(self) -> None:
        """Warn of rules whose every value was overwritten by code of modules further inside."""
        last = {(module, name): (source, by) for module, name, source, by in self._writes}
        final: dict[tuple[nn.Module, str], list[tuple[Source, nn.Module | None]]] = {}
        for module, name, (kind, text, _), by in self._writes:
            if kind == "rule" and by is not None:
                final.setdefault((by, text), []).append(last[module, name])
        for (module, text), writes in final.items():
            inside = [by is not None and bool(self._tree.levels(module, by)) for _, by in writes]
            code = {source[1] for source, _ in writes if source[0] == "code"}
            if not all(inside) or any(source[0] != "code" for source, _ in writes):
                continue
            if self.is_first(text, module):
                warnings.warn(
                    f"{text} of {type(module).__name__} has no effect: everything that it set was "
                    f"overwritten by {', '.join(sorted(code))}; give those modules an init_cfg of "
                    "their own, or initialize in their code",
                    IneffectiveRuleWarning,
                    stacklevel=2,
                )

    def undo(self) -> None:
        """Let a retry start again."""
        for module in self._initialized:
            vars(module)["_is_init"] = False


def _adapting(loaded: Source | None, code: Source) -> Source:
    """Return the source of what user code wrote: a loaded value that it adapts stays loaded."""
    if loaded is None or loaded[0] != "loaded":
        return code
    kind, text, key = loaded
    return loaded if text.endswith(code[1]) else (kind, f"{text}, then {code[1]}", key)


def _slot_of_alias(module: nn.Module, name: str, tensor: Tensor) -> tuple[nn.Module, str] | None:
    """Return the slot that an attribute shares its memory with."""
    if slot_tensor(module, name) is tensor:
        return module, name
    slot = original_slot(module, name)
    original = None if slot is None else slot_tensor(*slot)
    if original is None or storage_key(original) == storage_key(tensor):
        return slot or (module, name)
    return None


def current_session() -> Session | None:
    """Return the initialization session under way, if there is one."""
    return _current.get()


@contextmanager
def initialization_session(
    root: nn.Module, *, force: bool = False, complete: bool = False
) -> Iterator[Session]:
    """Join the initialization session under way, or start one at `root`.

    Args:
        root: The outermost module of a session that is started.
        force: Whether to start over: what was loaded before does not count.
        complete: Whether every parameter and buffer must have a value in the end.

    Raises:
        UninitializedError: If `complete`, and parts of a model built under `deferred` got no value.
    """
    session = _current.get()
    if session is not None:
        yield session
        return
    session = Session(root, force=force)
    token = _current.set(session)
    deferred = DeferredTensors(root, session.noted)
    deferred.allocate()
    try:
        with torch.no_grad():
            yield session
            deferred.release(session.written)
            if complete:
                deferred.complete()
        session.commit()
    except BaseException:
        deferred.release(session.written)
        session.undo()
        raise
    finally:
        _current.reset(token)
