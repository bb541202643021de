"""The layer that pads for a convolution, in ways that a convolution has not of its own."""

from brickwork_layers import build_padding_layer
from torch import nn
from torch.nn.modules.conv import _ConvNd

from ._typing import Size


def build_explicit_padding(mode: str, padding: Size | str, conv: _ConvNd) -> nn.Module:
    """Build the layer that pads for a convolution which does not pad itself.

    Args:
        mode: Its type: ``'reflect'``, ``'replicate'``, ``'circular'``, ...
        padding: As a convolution takes it: a size, one for each dimension, ``'same'``, ``'valid'``.
        conv: The convolution.

    Returns:
        The layer, for as many dimensions as the convolution has.

    Raises:
        ValueError: If `padding` is an unknown word.
    """
    windows = [(k - 1) * d for k, d in zip(conv.kernel_size, conv.dilation, strict=True)]
    amounts: Size
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"padding must be 'same', 'valid' or a size, got {padding!r}")
        totals = windows[::-1] if padding == "same" else [0] * len(windows)
        amounts = tuple(n for total in totals for n in (total // 2, total - total // 2))
    elif not isinstance(padding, int) and len(padding) == len(windows):
        # A convolution counts from the first dimension, a padding layer from the last.
        amounts = tuple(n for n in reversed(padding) for _ in range(2))
    else:
        amounts = padding
    dim = {} if len(windows) == 2 else {"dim": len(windows)}
    return build_padding_layer({"type": mode}, amounts, **dim)
