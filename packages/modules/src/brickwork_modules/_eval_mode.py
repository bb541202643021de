"""Eval mode for the length of a block."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def eval_mode(module: nn.Module) -> Iterator[None]:
    """Put a module and its submodules into eval mode, and each back into its own mode at the end.

    Only the ``training`` flags are set: an overridden `torch.nn.Module.train`, which may freeze
    or merge layers, is not called.

    Args:
        module: The module.

    Example:
        >>> model = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
        >>> with eval_mode(model):
        ...     [module.training for module in model.modules()]
        [False, False, False]
        >>> [module.training for module in model.modules()]
        [True, True, False]
    """
    modes = [(submodule, submodule.training) for submodule in module.modules()]
    for submodule, _ in modes:
        submodule.training = False
    try:
        yield
    finally:
        for submodule, mode in modes:
            submodule.training = mode
