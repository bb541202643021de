"""What initializers written for mmcv call once they are done."""

from torch import nn


def update_init_info(module: nn.Module, init_info: str) -> None:
    """Do nothing: who gave a tensor its value is noted as it is written, see `init_report`.

    Args:
        module: The module that an initializer has filled.
        init_info: What it would have noted.
    """
