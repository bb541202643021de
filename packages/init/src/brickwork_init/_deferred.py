"""Models built without values, and how they come by them.

Nothing can be read from a tensor on the meta device, so a value that is missing is an error and
never garbage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from ._construction import Construction, Deferral
from ._records import modules_below, slot_tensor, slots_below
from ._sharded import fill_tensor, is_sharded
from .errors import UninitializedError

KEY = "_brickwork_deferred"  # in the `__dict__` of a module: slot name -> Deferral, as a tuple

_constructing: ContextVar[bool] = ContextVar("brickwork_init.constructing", default=False)


@contextmanager
def deferred() -> Iterator[None]:
    """Build modules without drawing or writing their default values.

    Afterwards give every parameter and buffer its value: by a checkpoint, by ``init_weights``, or
    by both in this order. `uninitialized` names what has none yet. A plain `torch.nn.Module` loads
    by ``load_state_dict(..., assign=True)``.

    Example:
        >>> from brickwork_init import deferred, initialize, uninitialized
        >>> from torch import nn
        >>> with deferred():
        ...     layer = nn.Linear(4096, 4096)
        >>> uninitialized(layer)
        ['weight', 'bias']
        >>> initialize(layer, dict(type='Normal', std=0.02, layer='Linear'))
        >>> uninitialized(layer)
        []
    """
    if _constructing.get():  # an inner one adds nothing
        yield
        return
    construction = Construction()
    registered: list[tuple[nn.Module, str]] = []

    def register(module: nn.Module, name: str, tensor: Tensor | None) -> None:
        registered.append((module, name))

    token = _constructing.set(True)
    handles = [
        hooks.register_module_parameter_registration_hook(register),
        hooks.register_module_buffer_registration_hook(register),
    ]
    try:
        with construction.function_mode, construction.dispatch_mode:
            yield
    finally:
        _constructing.reset(token)
        for handle in handles:
            handle.remove()
    DeferredTensors.begin(registered, construction)


def uninitialized(model: nn.Module) -> list[str]:
    """Return the dotted names of the parameters and buffers without a value.

    Args:
        model: The model, or a part of one.

    Returns:
        The names of what lies on the meta device.
    """
    return [slot.dotted for slot in slots_below(model) if slot.tensor.is_meta]


def is_constructing() -> bool:
    """Whether modules are being built under `deferred`."""
    return _constructing.get()


class DeferredTensors:
    """The parameters and buffers of a model that were built under `deferred`.

    Their states::

        constructor
            | begin: on the meta device; its device, and the constant that the constructor
            v        wrote last, are noted in the ``__dict__`` of the module
        deferred <-----------------------------+
            | allocate: a session begins       | release: the session ends, it was not written
            v                                  |
        allocated -----------------------------+
            | written by a rule, a checkpoint or user code, then release
            v
        has its value <--- complete, write_constants: it has a constant --- deferred

    `complete` raises if something stays deferred. The notes are by module and name, not by tensor,
    since sharding a model replaces its tensors.

    Args:
        root: The model.
        modules: Its modules that may have such notes; all by default.
    """

    def __init__(self, root: nn.Module, modules: list[nn.Module] | None = None) -> None:
        self._root = root
        self._modules = list(dict.fromkeys(modules_below(root) if modules is None else modules))
        self._allocated: list[tuple[nn.Module, str, Tensor, Tensor]] = []

    @staticmethod
    def begin(registered: list[tuple[nn.Module, str]], construction: Construction) -> None:
        """Note what each parameter and buffer that was built is to become."""
        emptied: dict[int, Tensor] = {}  # tied tensors stay tied
        for module, name in registered:
            tensor = slot_tensor(module, name)
            deferral = None if tensor is None else construction.deferral(tensor)
            if tensor is None or deferral is None:
                continue
            if not tensor.is_meta:
                if id(tensor) not in emptied:
                    emptied[id(tensor)] = empty_like(tensor, torch.device("meta"))
                put(module, name, emptied[id(tensor)])
            vars(module).setdefault(KEY, {})[name] = tuple(deferral)

    def allocate(self) -> None:
        """Give memory to what is deferred."""
        memory: dict[int, Tensor] = {}
        for module, name, tensor, deferral in self._deferred():
            if id(tensor) not in memory:
                memory[id(tensor)] = empty_like(tensor, deferral.device)
            put(module, name, memory[id(tensor)])
            self._allocated.append((module, name, tensor, memory[id(tensor)]))

    def release(self, written: Callable[[], set[int]]) -> None:
        """Take the memory back from what was not written.

        Args:
            written: Returns the `id` of each tensor that was.
        """
        if not self._allocated:
            return
        ids = written()
        for module, name, tensor, memory in self._allocated:
            if slot_tensor(module, name) is memory and id(memory) not in ids:
                put(module, name, tensor)
            else:
                forget(module, name)
        self._allocated.clear()

    def write_constants(self) -> None:
        """Give what is deferred the constant that its constructor wrote, where there is one."""
        memory: dict[int, Tensor] = {}
        for module, name, tensor, deferral in self._deferred():
            if deferral.constant is None:
                continue
            if id(tensor) not in memory:
                memory[id(tensor)] = empty_like(tensor, deferral.device)
                with torch.no_grad():
                    fill = partial(Tensor.copy_, other=deferral.constant)
                    fill_tensor(memory[id(tensor)], fill)
            put(module, name, memory[id(tensor)])
            forget(module, name)

    def complete(self) -> None:
        """Write the constants.

        Raises:
            UninitializedError: If anything stays deferred.
        """
        self.write_constants()
        places = {(module, name) for module, name, *_ in self._deferred()}
        if places:
            slots = slots_below(self._root)
            names = [slot.dotted for slot in slots if (slot.module, slot.name) in places]
            raise uninitialized_error(self._root, names)

    def _deferred(self) -> Iterator[tuple[nn.Module, str, Tensor, Deferral]]:
        for module in self._modules:
            for name, deferral in [*module.__dict__.get(KEY, {}).items()]:
                tensor = slot_tensor(module, name)
                if tensor is None or not tensor.is_meta:  # replaced by one with a value
                    forget(module, name)
                else:
                    yield module, name, tensor, Deferral(*deferral)


def put(module: nn.Module, name: str, tensor: Tensor) -> None:
    # Not by `setattr`: its hooks are for those who register something new
    if name in module._parameters:
        module._parameters[name] = tensor  # type: ignore[assignment]  # `_empty_like` of one
    else:
        module._buffers[name] = tensor


def forget(module: nn.Module, name: str) -> None:
    deferrals = vars(module)[KEY]
    del deferrals[name]
    if not deferrals:
        del vars(module)[KEY]


def empty_like(tensor: Tensor, device: torch.device) -> Tensor:
    if is_sharded(tensor):
        device = torch.device(tensor.device_mesh.device_type)
        empty = torch.empty_like(tensor, device=device, requires_grad=False)
    else:  # `empty_like` across devices imports a computer algebra system: a quarter of a second
        empty = torch.empty_strided(
            tensor.shape, tensor.stride(), dtype=tensor.dtype, device=device
        )
    return nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty


def uninitialized_error(model: nn.Module, names: list[str]) -> UninitializedError:
    """Return the error that names what has no value."""
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return UninitializedError(
        f"{type(model).__name__} has parameters or buffers without a value: {shown}; load a "
        "checkpoint that has them, or add a rule that selects them, for example "
        f"dict(type='Normal', std=0.02, match={names[0]!r})",
        names,
    )
