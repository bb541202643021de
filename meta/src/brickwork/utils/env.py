"""Description of the environment for bug reports."""

import platform
import sys

import torch

from brickwork._versions import versions

__all__ = ["collect_env"]


def collect_env() -> dict[str, str]:
    """Return the platform, Python, PyTorch and its devices, and the packages of brickwork."""
    environment = {
        "sys.platform": sys.platform,
        "platform": platform.platform(),
        "Python": sys.version.replace("\n", ""),
        "CUDA available": str(torch.cuda.is_available()),
        "PyTorch": torch.__version__,
        "PyTorch compiling details": torch.__config__.show(),
    }
    for index in range(torch.cuda.device_count()):
        environment[f"GPU {index}"] = torch.cuda.get_device_name(index)
    return {
        **environment,
        **{name: version for name, version in versions().items() if name != "torch"},
    }
