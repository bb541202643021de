"""What a bug report needs."""

import platform
import sys

import torch

from brickwork._versions import versions

__all__ = ["collect_env"]


def collect_env() -> dict[str, str]:
    """Describe the environment.

    Returns:
        The platform, Python, PyTorch and its devices, and each part of brickwork.
    """
    found = {
        "sys.platform": sys.platform,
        "platform": platform.platform(),
        "Python": sys.version.replace("\n", ""),
        "CUDA available": str(torch.cuda.is_available()),
        "PyTorch": torch.__version__,
        "PyTorch compiling details": torch.__config__.show(),
    }
    for index in range(torch.cuda.device_count()):
        found[f"GPU {index}"] = torch.cuda.get_device_name(index)
    return {**found, **{name: version for name, version in versions().items() if name != "torch"}}
