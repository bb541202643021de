"""Which slots of a model user-defined code writes, without looking at values.

A write in place is recognized by the storage it goes to, so ``.data``, views, shards and the meta
device are covered. A new parameter, and ``.data = tensor``, are not operators; they are found by
comparing the slots with what they held before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import _get_current_dispatch_mode

from ._dispatch import DispatchMode, operator, storage_key
from ._records import modules_below, own_tensors
from ._sharded import fill_sharded, is_sharded, local_tensor


class UserCodeWatch:
    """Reports the slots of a model that user-defined code writes.

    Args:
        root: The model.
        report: Called with the module and the name of each slot that was written.
    """

    def __init__(self, root: nn.Module, report: Callable[[nn.Module, str], None]) -> None:
        self._report = report
        self._mode = DispatchMode(self._intercept)
        self._active = False
        self._slots: dict[int, list[tuple[nn.Module, str]]] = {}  # by storage
        self._held: dict[tuple[nn.Module, str], tuple[Tensor, int]] = {}  # tensor and storage
        self.find_replaced(root)

    def resume(self) -> None:
        """Watch operators from now on."""
        if not self._active:
            self._mode.__enter__()  # type: ignore[no-untyped-call]  # torch has no types here
            self._active = True

    def pause(self) -> None:
        """Stop watching operators, unless user code has entered another mode since."""
        if self._active and _get_current_dispatch_mode() is self._mode:
            self._mode.__exit__(None, None, None)  # type: ignore[no-untyped-call]  # as above
            self._active = False

    def find_replaced(self, module: nn.Module) -> list[tuple[nn.Module, str]]:
        """Return the slots below a module that hold another tensor or storage than before."""
        replaced = []
        for owner in modules_below(module):
            for name, tensor in own_tensors(owner):
                key = _storage(tensor)
                held = self._held.get((owner, name))
                if held is None or held[0] is not tensor or held[1] != key:
                    self._held[owner, name] = tensor, key
                    self._slots.setdefault(key, []).append((owner, name))
                    replaced.append((owner, name))
        return replaced

    def _intercept(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        facts = operator(func)
        written = facts.tensors_written(args, kwargs)
        for tensor in written:
            for slot in self._slots.get(_storage(tensor), ()):
                self._report(*slot)
        if facts.draws and len(written) == 1 and is_sharded(written[0]):
            fill_sharded(written[0], lambda whole: func(whole, *args[1:], **kwargs))
            return written[0]
        return func(*args, **kwargs)


def _storage(tensor: Tensor) -> int:
    return storage_key(local_tensor(tensor))
