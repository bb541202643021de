"""Notice weights that foreign code loads, so that rules leave them alone.

A backbone of another library often loads its weights in its constructor. Whoever puts it into a
larger model and initialises that does not want them drawn anew. Torch has no hook for it: those
of ``register_load_state_dict_post_hook`` belong to one module and would have to be planted on
each before it loads. So `torch.nn.Module.load_state_dict`, the one function through which such
code loads, is wrapped, once, when this package is imported. What it does stays as it is, except
for modules built under `deferred`: the loaded tensors take the place of those without memory.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from torch import nn

from ._deferred import constructing
from ._memory import is_pending
from ._provenance import UNNAMED, named_tensors
from ._running import record_loaded

_load_state_dict = nn.Module.load_state_dict


@functools.wraps(_load_state_dict)
def load_state_dict(
    self: nn.Module, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
) -> Any:
    result = _load_state_dict(
        self, state_dict, strict, assign or constructing() or is_pending(self)
    )
    left = {*result.missing_keys, *_not_saved(self)}
    names = [name for name, _ in named_tensors(self) if name not in left]
    record_loaded(self, UNNAMED, dict(zip(names, names, strict=True)))
    return result


def _not_saved(module: nn.Module) -> set[str]:
    """Name the buffers that no checkpoint holds."""
    return {
        f"{name}.{buffer}" if name else buffer
        for name, one in module.named_modules(remove_duplicate=False)
        for buffer in one._non_persistent_buffers_set
    }


def install() -> None:
    """Put the wrapper in place, once."""
    if nn.Module.load_state_dict is _load_state_dict:
        nn.Module.load_state_dict = load_state_dict  # type: ignore[method-assign]  # see above
