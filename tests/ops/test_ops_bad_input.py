"""Bad input gets an error that states the shapes and what is allowed."""

import pickle

import brickwork_ops as ops
import pytest
import torch

X = torch.zeros(2, 4, 6, 6)
WEIGHT = torch.zeros(6, 4, 3, 3)
OFFSET = torch.zeros(2, 18, 4, 4)
MASK = torch.zeros(2, 9, 4, 4)
BOXES, SCORES = torch.zeros(3, 4), torch.zeros(3)
ROIS = torch.zeros(3, 5)
LONG = torch.zeros(2, dtype=torch.long)
ATTENTION = dict(
    value=torch.zeros(2, 42, 4, 8),
    value_spatial_shapes=((6, 5), (3, 4)),
    sampling_locations=torch.zeros(2, 7, 4, 2, 3, 2),
    attention_weights=torch.zeros(2, 7, 4, 2, 3),
)


def attention(**changes):
    return ops.multi_scale_deformable_attn_pytorch(**{**ATTENTION, **changes})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.deform_conv2d(X[0], OFFSET, WEIGHT), r"4 dimensions, got shapes \(4, 6, 6\)"),
        (lambda: ops.deform_conv2d(X, OFFSET[:, :16], WEIGHT), r"\(2, 18, 4, 4\), got \(2, 16, 4"),
        (lambda: ops.deform_conv2d(X, OFFSET, WEIGHT, padding=1), r"\(2, 18, 6, 6\), got \(2, 18"),
        (lambda: ops.deform_conv2d(X, OFFSET, WEIGHT, groups=2), "in 2 groups .* 4 channels"),
        (lambda: ops.deform_conv2d(X, OFFSET, WEIGHT, deform_groups=3), "divide the 4 input .* 3"),
        (lambda: ops.deform_conv2d(X[..., :2, :2], OFFSET, WEIGHT), "input is too small"),
        (lambda: ops.deform_conv2d(X, OFFSET, WEIGHT, bias=True), "bias must be False, got True"),
        (lambda: ops.deform_conv2d(X, OFFSET, WEIGHT, stride=(1, 1, 1)), "stride must be one or"),
        (
            lambda: ops.deform_conv2d(
                X.repeat(2, 1, 1, 1)[:3], OFFSET.repeat(2, 1, 1, 1)[:3], WEIGHT, im2col_step=2
            ),
            "batch size must be divisible by im2col_step, got 3 and 2",
        ),
        (
            lambda: ops.modulated_deform_conv2d(X, OFFSET, MASK[:, :4], WEIGHT),
            r"mask must .* \(2, 9, 4, 4\), got \(2, 4, 4, 4\)",
        ),
        (
            lambda: ops.modulated_deform_conv2d(X, OFFSET, MASK, WEIGHT, torch.zeros(4)),
            r"bias must have shape \(6,\), got \(4,\)",
        ),
        (lambda: ops.DeformConv2d(4, 6, 3, bias=True), "bias must be False"),
        (lambda: ops.DeformConv2d(3, 4, 3, groups=2), "in_channels must be divisible .* 3 and 2"),
        (lambda: ops.ModulatedDeformConv2d(4, 5, 3, groups=2), "out_channels must be divisible"),
        (lambda: attention(value=torch.zeros(2, 41, 4, 8)), "hold 42 positions, .* of 41"),
        (lambda: attention(value_spatial_shapes=torch.zeros(2)), r"\(levels, 2\), got \(2,\)"),
        (lambda: attention(value=torch.zeros(2, 42, 32)), r"\(N, S, M, D\), got \(2, 42, 32\)"),
        (
            lambda: attention(attention_weights=torch.zeros(2, 7, 4, 2, 4)),
            r"\(2, 7, 4, 2, 3\), got \(2, 7, 4, 2, 4\)",
        ),
        (
            lambda: attention(sampling_locations=torch.zeros(2, 7, 4, 3, 3, 2)),
            r"\(N=2, Q, M=4, L=2, P, 2\), got \(2, 7, 4, 3, 3, 2\)",
        ),
        (lambda: ops.MultiScaleDeformableAttention(30, 4), "divisible by num_heads, got 30 and 4"),
        (lambda: ops.nms(BOXES[:, :3], SCORES, 0.5), r"boxes must .* \(N, 4\), got \(3, 3\)"),
        (lambda: ops.nms(BOXES, SCORES[:2], 0.5), r"scores must have shape \(3,\).* got \(2,\)"),
        (lambda: ops.nms(BOXES, SCORES, 0.5, offset=2), "offset must be 0 or 1, got 2"),
        (lambda: ops.nms([[0, 0, 1, 1]], [0.5], 0.5), "a tensor or a NumPy array, got list"),
        (lambda: ops.nms(BOXES * torch.nan, SCORES, 0.5), "boxes must not contain NaN, .* row 0"),
        (lambda: ops.nms(BOXES, SCORES * torch.nan, 0.5), "scores must not contain NaN"),
        (lambda: ops.soft_nms(BOXES, SCORES, method="hard"), "naive, linear, gaussian, got 'hard'"),
        (lambda: ops.nms_match(BOXES, 0.5), r"dets must have shape \(N, 5\), got \(3, 4\)"),
        (lambda: ops.bbox_overlaps(BOXES, ROIS), r"bboxes2 must .* \(N, 4\), got \(3, 5\)"),
        (lambda: ops.bbox_overlaps(BOXES, BOXES, mode="giou"), "'iou' or 'iof', got 'giou'"),
        (lambda: ops.bbox_overlaps(BOXES, BOXES[:2], aligned=True), "as many, got 3 and 2"),
        (
            lambda: ops.batched_nms(BOXES, SCORES, LONG, dict(iou_threshold=0.5)),
            r"idxs must have shape \(3,\).* got \(2,\)",
        ),
        (
            lambda: ops.batched_nms(BOXES, SCORES, SCORES, dict(type="fast_nms")),
            "'nms' or 'soft_nms', got 'fast_nms'",
        ),
        (lambda: ops.batched_nms(BOXES, SCORES, SCORES, dict(iou=0.5)), "no key 'iou'; keys of"),
        (lambda: ops.batched_nms(BOXES, SCORES, SCORES, {}), "must have the key 'iou_threshold'"),
        (lambda: ops.roi_align(X, BOXES, 7), r"rois must have shape \(R, 5\).* got \(3, 4\)"),
        (lambda: ops.roi_align(X[0], ROIS, 7), r"\(N, C, H, W\), got \(4, 6, 6\)"),
        (lambda: ops.roi_align(X, ROIS, 7, pool_mode="sum"), "'avg' or 'max', got 'sum'"),
        (lambda: ops.roi_pool(X, BOXES, 7), r"rois must have shape \(R, 5\)"),
        (lambda: ops.SimpleRoIAlign(7, 1.0)(X, BOXES), r"rois must have shape \(R, 5\)"),
        (lambda: ops.point_sample(X, BOXES), r"\(N, P, 2\) or .* got \(3, 4\)"),
        (
            lambda: ops.rel_roi_point_to_abs_img_point(ROIS, torch.zeros(2, 4, 2)),
            r"\(3, P, 2\), got \(2, 4, 2\)",
        ),
        (lambda: ops.abs_img_point_to_rel_img_point(BOXES, (1, 2, 3)), r"got \(1, 2, 3\)"),
        (lambda: ops.sigmoid_focal_loss(SCORES, LONG), r"\(N, C\), got \(3,\)"),
        (lambda: ops.sigmoid_focal_loss(BOXES, LONG), r"target must .* \(3,\), got \(2,\)"),
        (lambda: ops.softmax_focal_loss(BOXES, SCORES), "torch.int64, got torch.float32"),
        (
            lambda: ops.softmax_focal_loss(BOXES[:2], LONG, weight=SCORES),
            r"weight must have shape \(4,\), got \(3,\)",
        ),
        (
            lambda: ops.sigmoid_focal_loss(BOXES[:2], LONG, reduction="max"),
            "'none', 'mean' or 'sum', got 'max'",
        ),
        (lambda: ops.carafe(X, X, 4, 1, 1), "kernel_size must be odd, got 4"),
        (lambda: ops.carafe(X, X, 3, 1, 0), "scale_factor must be at least 1, got 0"),
        (lambda: ops.carafe(X, X, 3, 3, 1), "group_size must divide the 4 channels, got 3"),
        (lambda: ops.carafe(X, X, 3, 1, 2), r"masks must .* \(2, 9, 12, 12\), got \(2, 4, 6, 6\)"),
        (lambda: ops.CARAFE(3.0, 1, 2), "kernel_size must be an integer, got 3.0"),
        (lambda: ops.PSAMask("gather"), "collect, distribute, got 'gather'"),
        (lambda: ops.PSAMask("collect", 3)(X), r"\(N, 9, H, W\) .* got \(2, 4, 6, 6\)"),
        (lambda: ops.PSAMask("collect")(X), "mask_size must be given"),
        (lambda: ops.masked_conv2d(X, X[:, 0], WEIGHT, None), r"\(2, 4, 4\), got \(2, 6, 6\)"),
        (lambda: ops.masked_conv2d(X, X[:, 0], WEIGHT, None, 1, 2), "stride must be 1, got 2"),
        (lambda: ops.CornerPool("up"), "mode must be one of .*, got 'up'"),
        (lambda: ops.SyncBatchNorm(4, stats_mode="M"), "'default' or 'N', got 'M'"),
    ],
)
def test_error_states_what_is_wrong(call, message):
    with pytest.raises(ops.errors.OperatorInputError, match=message) as raised:
        call()
    # mmcv asserts here, or raises a ValueError
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, AssertionError)
    copy = pickle.loads(pickle.dumps(raised.value))
    assert str(copy) == str(raised.value)


def test_attention_without_reference_points_is_a_type_error():
    layer = ops.MultiScaleDeformableAttention(32, 4, 2, 3)
    with pytest.raises(TypeError, match="missing the argument 'reference_points'"):
        layer(torch.zeros(7, 2, 32), spatial_shapes=((1, 7), (0, 0)))


def test_reference_points_of_three_numbers_are_refused():
    layer = ops.MultiScaleDeformableAttention(32, 4, 2, 3)
    with pytest.raises(ops.errors.OperatorInputError, match=r"got \(2, 7, 2, 3\)"):
        layer(
            torch.zeros(7, 2, 32),
            reference_points=torch.zeros(2, 7, 2, 3),
            spatial_shapes=((1, 3), (2, 2)),
        )


@pytest.mark.parametrize("name", ["RoIAlignRotated", "SubMConv3d", "knn", "upfirdn2d"])
def test_name_that_is_not_here_says_who_has_it(name):
    with pytest.raises(AttributeError, match=f"does not implement {name}; .* does"):
        getattr(ops, name)
    assert not hasattr(ops, name)
    with pytest.raises(ImportError):
        exec(f"from brickwork_ops import {name}")


def test_unknown_name_is_a_plain_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = ops.nonsense
    with pytest.raises(ops.errors.OperatorUnavailableError, match="a compiled mmcv"):
        ops.batched_nms(BOXES, SCORES, SCORES, dict(type="nms_rotated"))
