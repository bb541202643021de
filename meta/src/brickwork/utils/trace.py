"""State of `torch.jit.trace`."""

import torch

__all__ = ["is_jit_tracing"]


def is_jit_tracing() -> bool:
    """Return whether `torch.jit.trace` is running."""
    return bool(torch._C._get_tracing_state())
