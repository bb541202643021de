"""How each ``init_weights`` takes part in the outermost one that is under way."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from brickwork_init import current_run, init_report, log_report, running
from torch import nn


def takes_turn(method: Callable[..., Any]) -> Callable[..., Any]:
    """Make an ``init_weights`` of a `BaseModule` take part in the run that is under way.

    The outermost call starts the run: it alone may ``force`` or ``dry_run``, which the method
    itself need not know of. A call by ``super()`` belongs to the turn it is made in.

    Args:
        method: The ``init_weights`` of a class.

    Returns:
        The method to put in its place.
    """
    if hasattr(method, "_takes_turn"):
        return method

    @functools.wraps(method)
    def init_weights(
        self: nn.Module, *args: Any, force: bool = False, dry_run: bool = False, **kwargs: Any
    ) -> Any:
        run = current_run()
        if run is not None and run.has_turn(self):
            return run.watch(type(self), self, method, self, *args, **kwargs)
        if self._is_init and not (force if run is None else run.force):
            warnings.warn(
                f"init_weights of {type(self).__name__} has been called more than once: its "
                "weights are left as they are; init_weights(force=True) starts over",
                stacklevel=2,
            )
            return None
        if run is None:
            with running(self, force=force, dry=dry_run, complete=True):
                init_weights(self, *args, **kwargs)
                if dry_run:
                    return init_report(self)
            log_report(self)
            return None
        result = None
        if self is run.root or not run.covered(self):
            result = run.turn(self, method, self, *args, **kwargs)
        if not run.dry:
            vars(self)["_is_init"] = True  # `setattr` of a module costs as much as a fill
            run.undo.append((_unmark, self))
        return result

    init_weights._takes_turn = True  # type: ignore[attr-defined]  # the mark looked for above
    return init_weights


def _unmark(module: nn.Module) -> None:
    vars(module)["_is_init"] = False


def init_children(module: nn.Module) -> None:
    """Let each child of a module that has an ``init_weights`` take its turn."""
    run = current_run()
    for child in dict.fromkeys(module._modules.values()):  # as `children()`, but quicker
        if child is None:
            continue
        # `hasattr(child, ...)` would search a layer's parameters and buffers, too, and fail
        if not (hasattr(type(child), "init_weights") or "init_weights" in vars(child)):
            continue
        method: Callable[[], Any] = child.init_weights  # type: ignore[assignment]  # no tensor
        if run is None or hasattr(method, "_takes_turn"):
            method()
        elif not run.covered(child):
            run.turn(child, method)
