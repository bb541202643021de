"""See what somebody's own code writes, without looking at a single value.

In-place writes are seen by the storage they go to, so those through ``.data``, views, on the meta
device and to shards are seen, too. Assignments of ``.data`` and of new parameters are no
operations of torch's dispatcher; the setter and torch's registration hooks tell of these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode, _get_current_function_mode
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode

from ._provenance import named_tensors
from ._sharded import fill_sharded, is_sharded

F = TypeVar("F", bound=Callable[..., Any])


# Told which tensors are about to be written; says whether they may be
Note: TypeAlias = Callable[[list[Tensor]], bool]


def unwatched(method: F) -> F:
    """Mark an ``init_weights`` that writes only through this package, which sees it anyway.

    Watching costs a few microseconds for each operation; a method of a small module that calls
    nothing but `initialize`, `constant_init`, `kaiming_init`, ... does better without.

    Args:
        method: The method.

    Returns:
        The method, marked.
    """
    method._unwatched = True  # type: ignore[attr-defined]  # the mark that is looked for
    return method


def _storage(tensor: Tensor) -> int:
    local = tensor.to_local() if is_sharded(tensor) else tensor
    key: int = local.untyped_storage()._cdata
    return key


class _Owners:
    """Which parameters and buffers of a model lie in a storage."""

    def __init__(self, root: nn.Module) -> None:
        self._by_storage: dict[int, dict[int, Tensor]] = {}
        for _, tensor in named_tensors(root):
            self.add(tensor)

    def add(self, tensor: Tensor) -> None:
        self._by_storage.setdefault(_storage(tensor), {})[id(tensor)] = tensor

    def of(self, tensor: Tensor) -> list[Tensor]:
        return list(self._by_storage.get(_storage(tensor), {}).values())


class _Writes(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it bare
    """Notes in-place operations on what the model holds, and withholds those that may not be."""

    def __init__(self, note: Note, owners: _Owners) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self._note = note
        self._owners = owners

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if not func._schema.is_mutable:
            return func(*args, **kwargs)
        out = None
        for at, argument in enumerate(func._schema.arguments):
            if argument.alias_info is None or not argument.alias_info.is_write:
                continue
            out = args[at] if at < len(args) else kwargs.get(argument.name)
            owned = self._owners.of(out) if isinstance(out, Tensor) else []
            if owned and not self._note(owned):
                return out
        if isinstance(out, Tensor) and is_sharded(out) and _random(func):
            fill_sharded(out, lambda whole: func(whole, *args[1:], **kwargs))
            return out
        return func(*args, **kwargs)


def _random(func: Any) -> bool:
    return torch.Tag.nondeterministic_seeded in func.tags


_SET_DATA = Tensor.data.__set__  # type: ignore[attr-defined]  # a descriptor of C


class _DataSetter(TorchFunctionMode):
    """Notes ``parameter.data = ...``."""

    def __init__(self, note: Note, owners: _Owners) -> None:
        super().__init__()
        self._note = note
        self._owners = owners

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func != _SET_DATA:
            return func(*args, **(kwargs or {}))
        owned = self._owners.of(args[0])
        if owned and not self._note(owned):
            return None
        func(*args)
        for tensor in owned:
            self._owners.add(tensor)
        return None


class Watch:
    """Tells of whatever is written to a model.

    Args:
        root: The model.
        note: Told before tensors are written.
        grew: Told when a module is added.
    """

    def __init__(self, root: nn.Module, note: Note, grew: Callable[[], None]) -> None:
        self._note = note
        self._grew = grew
        self._owners = _Owners(root)
        self._modes = (_DataSetter(note, self._owners), _Writes(note, self._owners))
        self._handles: list[Any] = []
        self.entered = False

    def on(self) -> None:
        """Begin, or go on, to watch."""
        self.entered = True
        for mode in self._modes:
            mode.__enter__()  # type: ignore[no-untyped-call]  # as above
        # The hooks are annotated as returning None, and documented to return what takes the place
        registered: Callable[..., Any] = self._registered
        self._handles = [
            hooks.register_module_parameter_registration_hook(registered),
            hooks.register_module_buffer_registration_hook(registered),
            hooks.register_module_module_registration_hook(lambda *_: self._grew()),
        ]

    def off(self) -> None:
        """Watch no longer."""
        self.entered = False
        for handle in self._handles:
            handle.remove()
        for mode in reversed(self._modes):
            mode.__exit__(None, None, None)  # type: ignore[no-untyped-call]  # as above

    @property
    def innermost(self) -> bool:
        """Whether nobody has entered a mode since: only the innermost mode can be left."""
        return (
            _get_current_function_mode() is self._modes[0]  # type: ignore[no-untyped-call]  # as above
            and _get_current_dispatch_mode() is self._modes[1]
        )

    def _registered(self, module: nn.Module, name: str, tensor: Tensor | None) -> Tensor | None:
        if not isinstance(tensor, Tensor):
            return None
        self._owners.add(tensor)
        if self._note([tensor]):
            return None
        return module._parameters.get(name, module._buffers.get(name))
