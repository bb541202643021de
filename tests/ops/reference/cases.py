"""Cases that are computed by mmcv's compiled operators and by ours.

Inputs come from NumPy's generator, which gives the same numbers everywhere, so only results are
stored. A case is a function of a module that has the operators: ``mmcv.ops`` or ``brickwork_ops``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Result = dict[str, Any]
Case = Callable[[Any], Result]

DTYPES = {"float64": torch.float64, "float32": torch.float32}


def normal(seed: int, *shape: int, dtype: torch.dtype = torch.float64, scale: float = 1) -> Tensor:
    values = np.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy(np.asarray(values * scale)).to(dtype)


def uniform(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random(shape)).to(dtype)


def with_gradients(function: Callable[..., Tensor], *inputs: Tensor | None) -> Result:
    """Run a function forward and backward from a random gradient of its output."""
    leaves = [None if x is None else x.clone().requires_grad_() for x in inputs]
    out = function(*leaves)
    out.backward(normal(99, *out.shape, dtype=out.dtype))
    result = {"out": out.detach()}
    for i, leaf in enumerate(leaves):
        if leaf is not None:
            result[f"grad{i}"] = leaf.grad
    return result


def layer_result(layer: nn.Module, *inputs: Tensor, **kwargs: Any) -> Result:
    """Run a layer forward and backward; also return its seeded parameters."""
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = layer(*leaves, **kwargs)
    out.backward(normal(98, *out.shape, dtype=out.dtype))
    result = {"out": out.detach(), "grad0": leaves[0].grad}
    for name, value in layer.state_dict().items():
        result[f"state.{name}"] = value
    for name, parameter in layer.named_parameters():
        if parameter.grad is not None:
            result[f"grad.{name}"] = parameter.grad
    return result


# Deformable convolution: (kernel, stride, padding, dilation, groups, deform groups)
GEOMETRIES = {
    "plain": (3, 1, 1, 1, 1, 1),
    "stride": (3, 2, 1, 1, 1, 1),
    "dilation": (3, 1, 2, 2, 1, 2),
    "groups": (3, 1, 1, 1, 2, 1),
    "all": ((3, 2), (2, 1), (1, 2), (2, 1), 2, 4),
    "1x1": (1, 1, 0, 1, 1, 1),
}
OFFSETS = ("random", "zero", "integer", "far")


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def deform_inputs(name: str, kind: str, dtype: torch.dtype) -> tuple[list[Tensor], tuple]:
    kernel, stride, padding, dilation, groups, deform_groups = GEOMETRIES[name]
    kernel = pair(kernel)
    height, width = 7, 8
    out = [
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(
            (height, width), kernel, pair(stride), pair(padding), pair(dilation), strict=True
        )
    ]
    taps = deform_groups * kernel[0] * kernel[1]
    offset = normal(2, 2, taps * 2, *out, dtype=dtype)
    if kind == "zero":
        offset = torch.zeros_like(offset)
    elif kind == "integer":
        offset = (offset * 2).round()
    elif kind == "far":
        offset = offset * 8
    inputs = [
        normal(1, 2, 8, height, width, dtype=dtype),
        offset,
        uniform(3, 2, taps, *out, dtype=dtype),
        normal(4, 6, 8 // groups, *kernel, dtype=dtype),
        normal(5, 6, dtype=dtype),
    ]
    return inputs, (stride, padding, dilation, groups, deform_groups)


def deform_conv(ops: Any, name: str, kind: str, dtype: torch.dtype) -> Result:
    (x, offset, _, weight, _), how = deform_inputs(name, kind, dtype)
    return with_gradients(lambda *t: ops.deform_conv2d(*t, *how), x, offset, weight)


def modulated(ops: Any, name: str, kind: str, dtype: torch.dtype) -> Result:
    inputs, how = deform_inputs(name, kind, dtype)
    return with_gradients(lambda *t: ops.modulated_deform_conv2d(*t, *how), *inputs)


def deform_conv_of_small_input(ops: Any) -> Result:
    torch.manual_seed(0)
    layer = ops.DeformConv2d(4, 6, 5, padding=2)
    offset = normal(7, 1, 50, 3, 4, dtype=torch.float32)
    return layer_result(layer, normal(6, 1, 4, 3, 4, dtype=torch.float32), offset)


def seeded_layer(ops: Any, name: str, *args: Any, **kwargs: Any) -> Result:
    torch.manual_seed(0)
    return layer_result(
        getattr(ops, name)(*args, **kwargs), normal(6, 2, args[0], 9, 8, dtype=torch.float32)
    )


def trained_layer(ops: Any, name: str, *args: Any, **kwargs: Any) -> Result:
    """Run a layer whose parameters are not those of initialization, in float64."""
    layer = getattr(ops, name)(*args, **kwargs).double()
    for i, parameter in enumerate(layer.parameters()):
        parameter.data = normal(50 + i, *parameter.shape, scale=0.3)
    return layer_result(layer, normal(6, 2, args[0], 9, 8))


def seeded_state(ops: Any, name: str, *args: Any, **kwargs: Any) -> Result:
    torch.manual_seed(0)
    return dict(getattr(ops, name)(*args, **kwargs).state_dict())


# Attention

SHAPES = ((6, 5), (3, 4), (1, 2))


def attention_inputs(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    keys = sum(h * w for h, w in SHAPES)
    value = normal(10, 2, keys, 4, 8, dtype=dtype)
    locations = uniform(11, 2, 7, 4, 3, 2, 2, dtype=dtype) * 1.4 - 0.2
    weights = uniform(12, 2, 7, 4, 3, 2, dtype=dtype)
    return value, torch.tensor(SHAPES), locations, weights


def attention(ops: Any, dtype: torch.dtype) -> Result:
    value, shapes, locations, weights = attention_inputs(dtype)
    function = getattr(ops, "multi_scale_deformable_attn_pytorch", None)
    if function is None:  # mmcv has it in a submodule only
        function = ops.multi_scale_deform_attn.multi_scale_deformable_attn_pytorch
    return with_gradients(lambda v, p, w: function(v, shapes, p, w), value, locations, weights)


def attention_layer(ops: Any, coordinates: int, batch_first: bool, mask: bool) -> Result:
    torch.manual_seed(0)
    layer = ops.MultiScaleDeformableAttention(
        32, num_heads=4, num_levels=3, num_points=2, batch_first=batch_first, dropout=0.0
    )
    layer.attention_weights.weight.data = normal(20, *layer.attention_weights.weight.shape).float()
    layer.sampling_offsets.weight.data = normal(21, *layer.sampling_offsets.weight.shape).float()
    keys = sum(h * w for h, w in SHAPES)
    query, value = normal(22, 7, 2, 32).float(), normal(23, keys, 2, 32).float()
    if batch_first:
        query, value = query.transpose(0, 1).contiguous(), value.transpose(0, 1).contiguous()
    return layer_result(
        layer.double(),
        query.double(),
        value=value.double(),
        query_pos=torch.ones_like(query).double(),
        key_padding_mask=uniform(24, 2, keys) > 0.7 if mask else None,
        reference_points=uniform(25, 2, 7, 3, coordinates),
        spatial_shapes=torch.tensor(SHAPES),
        level_start_index=torch.tensor([0, 30, 42]),
    )


# Boxes. No scores are equal, but for soft_nms: mmcv sorts them in no particular order.


def boxes(seed: int, count: int, size: float = 100, low: float = 0) -> Tensor:
    corner = uniform(seed, count, 2) * size + low
    return torch.cat([corner, corner + uniform(seed + 1, count, 2) * size * 0.4], 1).float()


def suppression(ops: Any, count: int = 300, low: float = 0, **kwargs: Any) -> Result:
    scores = uniform(32, count).float()
    dets, kept = ops.nms(boxes(30, count, low=low), scores, **kwargs)
    return {"dets": dets, "kept": kept}


def batched(
    ops: Any,
    cfg: dict[str, Any] | None,
    low: float = 0,
    class_agnostic: bool = False,
    count: int = 400,
) -> Result:
    scores = uniform(35, count).float()
    classes = torch.from_numpy(np.random.default_rng(36).integers(0, 7, count))
    dets, kept = ops.batched_nms(boxes(33, count, low=low), scores, classes, cfg, class_agnostic)
    return {"dets": dets, "kept": kept}


def soft(ops: Any, ties: bool = False, **kwargs: Any) -> Result:
    scores = uniform(39, 150).float()
    if ties:
        scores = (scores * 10).round() / 10
    dets, kept = ops.soft_nms(boxes(37, 150), scores, **kwargs)
    return {"dets": dets, "kept": kept}


def matched(ops: Any, threshold: float) -> Result:
    dets = torch.cat([boxes(40, 200), uniform(42, 200, 1).float()], 1)
    return {str(i): group for i, group in enumerate(ops.nms_match(dets, threshold))}


def overlap(ops: Any, **kwargs: Any) -> Result:
    first, second = boxes(43, 20), boxes(45, 20)
    return {"out": ops.bbox_overlaps(first, second, **kwargs)}


# Regions


def regions() -> Tensor:
    """Boxes inside, across the border and outside of two 32 x 40 images; one is empty."""
    inside = boxes(60, 12, size=24).double()
    across = boxes(62, 6, size=60, low=-20).double()
    outside = torch.tensor([[50.0, 50.0, 60.0, 70.0], [-30.0, 1.0, -20.0, 9.0]]).double()
    empty = torch.tensor([[5.0, 5.0, 5.0, 5.0], [3.0, 2.0, 3.0, 9.0]]).double()
    rois = torch.cat([inside, across, outside, empty])
    image = torch.arange(len(rois), dtype=torch.float64)[:, None] % 2
    return torch.cat([image, rois], 1)


def align(
    ops: Any, sampling_ratio: int, pool_mode: str, aligned: bool, dtype: torch.dtype
) -> Result:
    rois = regions().to(dtype)
    if pool_mode == "max" and sampling_ratio == 0:
        # An empty bin is -10000 in mmcv, 0 here.
        rois = rois[((rois[:, 3:] - rois[:, 1:3]) > 0).all(1)]
    return with_gradients(
        lambda x: ops.roi_align(x, rois, (3, 4), 0.5, sampling_ratio, pool_mode, aligned),
        normal(64, 2, 3, 16, 20, dtype=dtype),
    )


def simple_align(ops: Any, aligned: bool) -> Result:
    layer = ops.SimpleRoIAlign((3, 4), 0.5, aligned)
    rois = regions().float()
    rois = rois[rois[:, 0].argsort(stable=True)]
    return with_gradients(lambda x: layer(x, rois), normal(64, 2, 3, 16, 20, dtype=torch.float32))


def points(ops: Any, align_corners: bool) -> Result:
    rois, relative = regions().float(), uniform(66, len(regions()), 5, 2).float()
    image = normal(67, 2, 3, 16, 20, dtype=torch.float32)
    mapped = ops.rel_roi_point_to_rel_img_point(rois, relative, image, 0.5)
    result = with_gradients(
        lambda x, p: ops.point_sample(x, p, align_corners), image, mapped.reshape(2, -1, 2)
    )
    return {**result, "points": mapped}


def psa(ops: Any, kind: str, mask_size: tuple[int, int]) -> Result:
    layer = ops.PSAMask(kind, mask_size)
    return with_gradients(layer, normal(68, 2, mask_size[0] * mask_size[1], 4, 5).float())


def corner(ops: Any, mode: str) -> Result:
    return with_gradients(ops.CornerPool(mode), normal(69, 2, 3, 6, 5))


def _deform_cases() -> Iterator[tuple[str, Case]]:
    for operator in (deform_conv, modulated):
        for name in GEOMETRIES:
            for kind in OFFSETS if name in ("plain", "all") else ("random",):
                for dtype_name, dtype in DTYPES.items():
                    if dtype_name == "float64" or kind == "random":
                        yield (
                            f"{operator.__name__}/{name}/{kind}/{dtype_name}",
                            lambda ops, f=operator, n=name, k=kind, d=dtype: f(ops, n, k, d),
                        )
    yield "deform_conv/small_input", deform_conv_of_small_input
    layers: dict[str, tuple[tuple, dict[str, Any]]] = {
        "DeformConv2dPack": ((4, 6, 3), dict(padding=1, deform_groups=2)),
        "ModulatedDeformConv2dPack": ((4, 6, 3), dict(padding=1, stride=2, groups=2)),
        "SAConv2d": ((4, 6, 3), dict(padding=1)),
        "CrissCrossAttention": ((16,), {}),
    }
    for name, (args, kwargs) in layers.items():
        yield f"seeded/{name}", lambda ops, n=name, a=args, k=kwargs: seeded_layer(ops, n, *a, **k)
        yield f"layer/{name}", lambda ops, n=name, a=args, k=kwargs: trained_layer(ops, n, *a, **k)
    deform = ("SAConv2d", 4, 6, 3)
    yield (
        "seeded/SAConv2d/deform",
        lambda ops: seeded_layer(ops, *deform, padding=1, use_deform=True),
    )
    yield (
        "layer/SAConv2d/deform",
        lambda ops: trained_layer(ops, *deform, padding=1, use_deform=True),
    )
    yield "state/CARAFEPack", lambda ops: seeded_state(ops, "CARAFEPack", 8, 2, up_group=2)


def _attention_cases() -> Iterator[tuple[str, Case]]:
    for name, dtype in DTYPES.items():
        yield f"attention/{name}", lambda ops, d=dtype: attention(ops, d)
    for coordinates in (2, 4):
        for batch_first in (False, True):
            mask = coordinates == 2
            yield (
                f"attention_layer/{coordinates}/{batch_first}",
                lambda ops, c=coordinates, b=batch_first, m=mask: attention_layer(ops, c, b, m),
            )


def _nms_cases() -> Iterator[tuple[str, Case]]:
    options: dict[str, dict[str, Any]] = {
        "plain": dict(iou_threshold=0.5),
        "low": dict(iou_threshold=0.1),
        "high": dict(iou_threshold=0.9),
        "offset": dict(iou_threshold=0.3, offset=1),
        "score": dict(iou_threshold=0.5, score_threshold=0.4),
        "max": dict(iou_threshold=0.5, max_num=20),
        "many": dict(iou_threshold=0.5, count=2000),
        "negative": dict(iou_threshold=0.5, low=-50),
    }
    for name, how in options.items():
        yield f"nms/{name}", lambda ops, h=how: suppression(ops, **h)
    plain = dict(type="nms", iou_threshold=0.5)
    configs: dict[str, dict[str, Any]] = {
        "plain": dict(cfg=plain),
        "none": dict(cfg=None),
        "agnostic": dict(cfg=plain, class_agnostic=True),
        "agnostic_in_cfg": dict(cfg=dict(plain, class_agnostic=True)),
        "offset": dict(cfg=dict(plain, offset=1)),
        "max": dict(cfg=dict(plain, max_num=50)),
        "score": dict(cfg=dict(plain, score_threshold=0.3)),
        "negative": dict(cfg=plain, low=-80),
        "negative_offset": dict(cfg=dict(plain, offset=1), low=-0.5),
        "split": dict(cfg=dict(plain, split_thr=100)),
        "split_negative": dict(cfg=dict(plain, split_thr=100), low=-80),
        "split_max": dict(cfg=dict(plain, split_thr=100, max_num=30)),
        "split_agnostic": dict(cfg=dict(plain, split_thr=100), class_agnostic=True),
        "many": dict(cfg=plain, count=3000),
        "soft": dict(cfg=dict(type="soft_nms", iou_threshold=0.3)),
        "soft_split": dict(cfg=dict(type="soft_nms", iou_threshold=0.3, split_thr=100)),
    }
    for name, how in configs.items():
        yield f"batched_nms/{name}", lambda ops, h=how: batched(ops, **h)
    for method in ("naive", "linear", "gaussian"):
        for offset in (0, 1):
            yield (
                f"soft_nms/{method}/{offset}",
                lambda ops, m=method, o=offset: soft(ops, method=m, offset=o),
            )
    yield "soft_nms/ties", lambda ops: soft(ops, ties=True)
    yield "soft_nms/min_score", lambda ops: soft(ops, min_score=0.3, sigma=0.2, method="gaussian")
    for threshold in (0.2, 0.5):
        yield f"nms_match/{threshold}", lambda ops, t=threshold: matched(ops, t)
    for mode in ("iou", "iof"):
        for aligned in (False, True):
            for offset in (0, 1):
                how = dict(mode=mode, aligned=aligned, offset=offset)
                yield (
                    f"bbox_overlaps/{mode}/{aligned}/{offset}",
                    lambda ops, h=how: overlap(ops, **h),
                )


def _region_cases() -> Iterator[tuple[str, Case]]:
    for ratio in (0, 1, 2, 3):
        for mode in ("avg", "max"):
            for aligned in (False, True):
                for name, dtype in DTYPES.items():
                    yield (
                        f"roi_align/{ratio}/{mode}/{aligned}/{name}",
                        lambda ops, r=ratio, m=mode, a=aligned, d=dtype: align(ops, r, m, a, d),
                    )
    for aligned in (False, True):
        yield f"simple_roi_align/{aligned}", lambda ops, a=aligned: simple_align(ops, a)
        yield f"point_sample/{aligned}", lambda ops, a=aligned: points(ops, a)
    for kind in ("collect", "distribute"):
        for size in ((3, 5), (7, 9), (2, 4)):
            yield (
                f"psa_mask/{kind}/{size[0]}x{size[1]}",
                lambda ops, k=kind, s=size: psa(ops, k, s),
            )
    for mode in ("top", "bottom", "left", "right"):
        yield f"corner_pool/{mode}", lambda ops, m=mode: corner(ops, m)


CASES: dict[str, Case] = dict(
    case
    for cases in (_deform_cases(), _attention_cases(), _nms_cases(), _region_cases())
    for case in cases
)
