"""Whether a model is being traced."""

import torch

__all__ = ["is_jit_tracing"]


def is_jit_tracing() -> bool:
    """Tell whether `torch.jit.trace` is running."""
    return bool(torch._C._get_tracing_state())
