"""`torch.nn` containers whose weights initialise from a config."""

from __future__ import annotations

import copy
from abc import ABCMeta
from collections.abc import Iterable, Mapping
from typing import Any

from brickwork_init import InitCfg, initialize, unwatched
from torch import nn

from ._turn import init_children, takes_turn


class BaseModule(nn.Module, metaclass=ABCMeta):
    """A module whose weights initialise from a config.

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
        """Let an overridden `init_weights` take part, whichever base it comes from."""
        super().__init_subclass__(**kwargs)
        cls.init_weights = takes_turn(cls.init_weights)  # type: ignore[method-assign]  # the same, wrapped

    @property
    def is_init(self) -> bool:
        """Whether `init_weights` has been called."""
        return self._is_init

    @takes_turn
    @unwatched
    def init_weights(self, *args: Any, **kwargs: Any) -> Any:
        """Initialise this module by its own rules, then each child that has an `init_weights`.

        Whatever a checkpoint gave its value, in this call or before, is left as it is. A second
        call changes nothing and warns. A subclass may override this method, calling `super()`
        for the rules; it need not take the options.

        Args:
            *args: None; for whoever overrides it with arguments.
            **kwargs: ``force=True`` starts over, and overwrites loaded weights, too.
                ``dry_run=True`` changes nothing, and returns the report of what would be done.
                Both only in the outermost call.

        Returns:
            The `InitReport`, if `dry_run`; otherwise None. See `init_report`.

        Raises:
            UnsetError: If the model was built under `deferred` and something has no value yet.
        """
        if self.init_cfg:
            initialize(self, self.init_cfg)
        init_children(self)

    def __repr__(self) -> str:
        text = super().__repr__()
        return f"{text}\ninit_cfg={self.init_cfg}" if self.init_cfg else text


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
