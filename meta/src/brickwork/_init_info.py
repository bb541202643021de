"""Function that initializers written for mmcv call at their end."""

from torch import nn


def update_init_info(module: nn.Module, init_info: str) -> None:
    """Do nothing; brickwork records the source of each value itself, see `init_report`."""
