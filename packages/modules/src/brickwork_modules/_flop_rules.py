"""FLOPs of activations, pooling, norms and upsampling, as mmcv counts them.

`torch.utils.flop_counter` counts matrix products, convolutions and attention, a multiply-add as
two. The rules here count the other operators in the same unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch.utils.flop_counter import conv_flop_count

Shape = Sequence[int]
_aten = torch.ops.aten


def _per_output(*_: Any, out_shape: Any, **__: Any) -> int:
    return 2 * prod(_first(out_shape))


def _per_input(x: Shape, *_: Any, out_shape: Any, **__: Any) -> int:
    return 2 * prod(x)


def _norm(weight_at: int) -> Callable[..., int]:
    """Return a rule that counts one multiply-add per element, or two with a learnable weight."""

    def count(*args: Any, out_shape: Any, **_: Any) -> int:
        return int(2 * prod(args[0]) * (1 if args[weight_at] is None else 2))

    return count


def _convolution(
    x: Shape,
    weight: Shape,
    bias: Shape | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    *_: Any,
    out_shape: Any,
    **__: Any,
) -> int:
    products = conv_flop_count(list(x), list(weight), list(out_shape), transposed=transposed)
    return int(products if bias is None else products + 2 * prod(out_shape))


def _first(shapes: Any) -> Shape:
    """Return the shape of the first output of an operator that may have several."""
    first: Shape = shapes[0] if shapes and isinstance(shapes[0], Sequence) else shapes
    return first


_ACTIVATIONS = (
    "relu elu celu leaky_relu hardtanh gelu silu sigmoid log_sigmoid_forward hardsigmoid hardswish "
    "hardshrink softshrink tanh mish softplus threshold _prelu_kernel glu rrelu_with_noise"
)
_POOLS = (
    "max_pool2d_with_indices max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d "
    "_adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d mean"
)
# FlopCounterMode decomposes nearest upsampling into indexing before it looks up a rule.
_UPSAMPLINGS = (
    "_unsafe_index "
    "upsample_linear1d upsample_bilinear2d "
    "upsample_trilinear3d upsample_bicubic2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa"
)
_NORMS = {
    "native_batch_norm": 1,
    "_native_batch_norm_legit": 1,
    "_native_batch_norm_legit_no_training": 1,
    "cudnn_batch_norm": 1,
    "native_group_norm": 1,
    "native_layer_norm": 2,
}


def _rules() -> dict[Any, Callable[..., int]]:
    rules: dict[str, Callable[..., int]] = {"convolution": _convolution}
    rules |= dict.fromkeys(_ACTIVATIONS.split(), _per_output)
    rules |= {f"{name}_": _per_output for name in _ACTIVATIONS.split()}
    rules |= dict.fromkeys(_POOLS.split(), _per_input)
    rules |= dict.fromkeys(_UPSAMPLINGS.split(), _per_output)
    rules |= {name: _norm(weight_at) for name, weight_at in _NORMS.items()}
    return {getattr(_aten, name): rule for name, rule in rules.items() if hasattr(_aten, name)}


RULES = _rules()
