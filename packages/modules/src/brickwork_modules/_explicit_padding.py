"""Padding layers in front of convolutions, for padding modes that a convolution does not have."""

from brickwork_layers import build_padding_layer
from torch import nn
from torch.nn.modules.conv import _ConvNd

from ._typing import Size


def build_explicit_padding(mode: str, padding: Size | str, conv: _ConvNd) -> nn.Module:
    """Build the layer that pads for a convolution, as its own argument `padding` would.

    Raises:
        ValueError: If `padding` is an unknown string.
    """
    reach = [(k - 1) * d for k, d in zip(conv.kernel_size, conv.dilation, strict=True)]
    amounts: Size
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"padding must be 'same', 'valid' or a size, got {padding!r}")
        totals = reach[::-1] if padding == "same" else [0] * len(reach)
        amounts = tuple(n for total in totals for n in (total // 2, total - total // 2))
    elif not isinstance(padding, int) and len(padding) == len(reach):
        # Convolutions list the first dimension first, padding layers the last.
        amounts = tuple(n for n in reversed(padding) for _ in range(2))
    else:
        amounts = padding
    dim = {} if len(reach) == 2 else {"dim": len(reach)}
    return build_padding_layer({"type": mode}, amounts, **dim)
