"""`torch.nn` containers whose weights initialize from a config."""

from __future__ import annotations

import copy
import functools
import warnings
from abc import ABCMeta
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from brickwork_init import (
    InitCfg,
    RecordingModule,
    Session,
    current_session,
    initialization_session,
    initialize,
    log_report,
)
from torch import nn


class BaseModule(RecordingModule, metaclass=ABCMeta):
    """A module whose weights initialize from a config.

    Args:
        init_cfg: One rule or a list of them, see `brickwork_init.initialize`; those of inner
            modules come after those of outer ones. Copied.

    Attributes:
        init_cfg: The rules.
    """

    def __init__(self, init_cfg: InitCfg | None = None) -> None:
        super().__init__()
        self._is_init = False
        self.init_cfg = copy.deepcopy(init_cfg)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let a user-defined `init_weights` join the session, whichever base it comes from."""
        super().__init_subclass__(**kwargs)
        if not hasattr(cls.init_weights, "_joins_session"):
            cls.init_weights = _in_session(cls.init_weights)  # type: ignore[method-assign]  # wrapped

    @property
    def is_init(self) -> bool:
        """Whether `init_weights` has been called."""
        return self._is_init

    def init_weights(self, *args: Any, force: bool = False, **kwargs: Any) -> Any:
        """Initialize this module by its own rules, then each child that has an `init_weights`.

        Tensors that a checkpoint gave their values, in this call or before, keep them, except for
        rules that follow the checkpoint in the same ``init_cfg``. A second call warns and does
        nothing. A subclass may override this method, calling `super()` for the rules; its own code
        runs at every call.

        Args:
            *args: None; a subclass may override the method with arguments.
            force: Whether to start over, and overwrite loaded weights, too. Counts in the
                outermost call only; an overriding method need not take it.
            **kwargs: None, as `args`.

        Raises:
            UninitializedError: If the model was built under `deferred` and a parameter or buffer
                has no value in the end.
            TypeError: If an argument is passed that no subclass takes.
        """
        if args or kwargs:
            raise TypeError(
                f"init_weights of {type(self).__name__} takes only 'force', got "
                f"{', '.join([*map(repr, args), *kwargs])}; brickwork_init.matched_rules(model) "
                "lists what rules select"
            )
        session = current_session()
        if session is None:
            with initialization_session(self, force=force, complete=True):
                BaseModule.init_weights(self)
            log_report(self)
        elif self._is_init and not session.force:
            warnings.warn(
                f"init_weights of {type(self).__name__} has been called more than once: its "
                "rules are not applied again; init_weights(force=True) starts over",
                stacklevel=2,
            )
        else:
            session.run_implicit(self._apply_rules, session)
            session.mark_initialized(self)

    init_weights._joins_session = True  # type: ignore[attr-defined]  # see `__init_subclass__`

    def _apply_rules(self, session: Session) -> None:
        if self.init_cfg:
            initialize(self, self.init_cfg)
        for child in dict.fromkeys(self._modules.values()):  # as `children()`, but quicker
            # `hasattr(child, ...)` would search a layer's parameters and buffers, too, and fail
            if child is None or not (
                hasattr(type(child), "init_weights") or "init_weights" in vars(child)
            ):
                continue
            init_weights: Callable[[], Any] = child.init_weights  # type: ignore[assignment]  # a method
            if session.is_covered(child):
                if isinstance(child, BaseModule):
                    session.mark_initialized(child)
            elif hasattr(init_weights, "_joins_session"):
                init_weights()
            else:
                session.call(child, init_weights)

    def __repr__(self) -> str:
        text = super().__repr__()
        return f"{text}\ninit_cfg={self.init_cfg}" if self.init_cfg else text


def _in_session(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a user-defined ``init_weights`` so that it is part of an initialization session.

    Args:
        method: The ``init_weights`` of a class.

    Returns:
        A method that starts a session if it is the outermost call, and takes ``force`` then.
    """

    @functools.wraps(method)
    def init_weights(self: BaseModule, *args: Any, force: bool = False, **kwargs: Any) -> Any:
        session = current_session()
        if session is None:
            with initialization_session(self, force=force, complete=True) as session:
                result = session.call(self, method, self, *args, **kwargs)
                session.mark_initialized(self)
            log_report(self)
            return result
        if session.is_calling(self):  # by `super()`
            return method(self, *args, **kwargs)
        result = session.call(self, method, self, *args, **kwargs)
        session.mark_initialized(self)
        return result

    init_weights._joins_session = True  # type: ignore[attr-defined]  # see `__init_subclass__`
    return init_weights


class Sequential(BaseModule, nn.Sequential):
    """`torch.nn.Sequential` with an ``init_cfg``.

    Args:
        *args: The modules, or one ordered dict of them.
        init_cfg: Rules, see `BaseModule`.
    """

    def __init__(self, *args: Any, init_cfg: InitCfg | None = None) -> None:
        BaseModule.__init__(self, init_cfg)
        nn.Sequential.__init__(self, *args)


class ModuleList(BaseModule, nn.ModuleList):
    """`torch.nn.ModuleList` with an ``init_cfg``.

    Args:
        modules: The modules.
        init_cfg: Rules, see `BaseModule`.
    """

    def __init__(
        self, modules: Iterable[nn.Module] | None = None, init_cfg: InitCfg | None = None
    ) -> None:
        BaseModule.__init__(self, init_cfg)
        nn.ModuleList.__init__(self, modules)


class ModuleDict(BaseModule, nn.ModuleDict):
    """`torch.nn.ModuleDict` with an ``init_cfg``.

    Args:
        modules: The modules by name.
        init_cfg: Rules, see `BaseModule`.
    """

    def __init__(
        self, modules: Mapping[str, nn.Module] | None = None, init_cfg: InitCfg | None = None
    ) -> None:
        BaseModule.__init__(self, init_cfg)
        nn.ModuleDict.__init__(self, modules)
