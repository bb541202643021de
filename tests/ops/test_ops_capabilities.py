"""What every operator can do: compile, export, live on meta, run under autocast, copy, pickle."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass

import brickwork_ops as ops
import pytest
import torch
from torch import Tensor, nn

SHAPES = ((6, 5), (3, 4))


class Function(nn.Module):
    """A function as a layer without parameters."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Tensor) -> Tensor:
        return self.function(*args)


def deform(x: Tensor, offset: Tensor, weight: Tensor) -> Tensor:
    return ops.deform_conv2d(x, offset, weight, padding=1)


def attend(value: Tensor, shapes: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    return ops.multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)


class AttentionLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = ops.MultiScaleDeformableAttention(16, 2, 2, 2, dropout=0.0)

    def forward(self, query: Tensor, value: Tensor, points: Tensor, shapes: Tensor) -> Tensor:
        return self.attention(query, value=value, reference_points=points, spatial_shapes=shapes)


@dataclass(frozen=True)
class Brick:
    name: str
    build: Callable[[], nn.Module]
    inputs: Callable[[], tuple[Tensor, ...]]


def image(channels: int = 4) -> tuple[Tensor]:
    return (torch.rand(2, channels, 6, 7),)


def image_and_rois() -> tuple[Tensor, Tensor]:
    corner = torch.rand(5, 2) * 6
    rois = torch.cat([torch.tensor([[0.0], [1], [1], [0], [1]]), corner, corner + 5], 1)
    return torch.rand(2, 4, 9, 10), rois


BRICKS = [
    Brick(
        "deform_conv2d",
        lambda: Function(deform),
        lambda: (*image(), torch.rand(2, 18, 6, 7), torch.rand(6, 4, 3, 3)),
    ),
    Brick(
        "multi_scale_deformable_attn_pytorch",
        lambda: Function(attend),
        lambda: (
            torch.rand(2, 42, 2, 8),
            torch.tensor(SHAPES),
            torch.rand(2, 5, 2, 2, 3, 2),
            torch.rand(2, 5, 2, 2, 3),
        ),
    ),
    Brick("DCN", lambda: ops.DeformConv2dPack(4, 6, 3, padding=1, deform_groups=2), image),
    Brick("DCNv2", lambda: ops.ModulatedDeformConv2dPack(4, 6, 3, stride=2, groups=2), image),
    Brick("SAC", lambda: ops.SAConv2d(4, 6, 3, padding=1), image),
    Brick("SAC deform", lambda: ops.SAConv2d(4, 6, 3, padding=1, use_deform=True), image),
    Brick(
        "attention",
        AttentionLayer,
        lambda: (
            torch.rand(5, 2, 16),
            torch.rand(42, 2, 16),
            torch.rand(2, 5, 2, 2),
            torch.tensor(SHAPES),
        ),
    ),
    Brick("roi_align", lambda: ops.RoIAlign(3, 1.0, 2), image_and_rois),
    Brick("roi_align max", lambda: ops.RoIAlign(3, 1.0, 2, "max"), image_and_rois),
    Brick("roi_pool", lambda: ops.RoIPool(3, 1.0), image_and_rois),
    Brick("simple_roi_align", lambda: ops.SimpleRoIAlign(3, 1.0), image_and_rois),
    Brick(
        "point_sample",
        lambda: Function(ops.point_sample),
        lambda: (*image(), torch.rand(2, 5, 2)),
    ),
    Brick("carafe", lambda: ops.CARAFEPack(4, 2), image),
    Brick("criss_cross", lambda: ops.CrissCrossAttention(8), lambda: image(8)),
    Brick("psa_mask", lambda: ops.PSAMask("distribute", (3, 5)), lambda: image(15)),
    Brick(
        "masked_conv",
        lambda: ops.MaskedConv2d(4, 6, 3, padding=1),
        lambda: (*image(), torch.rand(2, 6, 7) - 0.5),
    ),
    Brick("corner_pool", lambda: ops.CornerPool("top"), image),
    Brick(
        "sigmoid_focal_loss",
        lambda: ops.SigmoidFocalLoss(2.0, 0.25, torch.rand(3)),
        lambda: (torch.rand(4, 3), torch.tensor([0, 1, 2, 3])),
    ),
    Brick(
        "softmax_focal_loss",
        lambda: ops.SoftmaxFocalLoss(2.0, 0.25),
        lambda: (torch.rand(4, 3), torch.tensor([0, 1, 2, 1])),
    ),
    Brick(
        "bbox_overlaps",
        lambda: Function(ops.bbox_overlaps),
        lambda: (torch.rand(4, 4), torch.rand(3, 4)),
    ),
]


@pytest.fixture(params=BRICKS, ids=lambda brick: brick.name)
def brick(request: pytest.FixtureRequest) -> Brick:
    torch.manual_seed(0)
    return request.param


def test_compiles_without_a_break(brick):
    layer, inputs = brick.build(), brick.inputs()
    inputs[0].requires_grad_()
    expected = layer(*inputs)
    expected_grad = torch.autograd.grad(expected.sum(), inputs[0])
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    out = compiled(*inputs)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(torch.autograd.grad(out.sum(), inputs[0]), expected_grad)
    torch.compiler.reset()


def test_exports(brick):
    layer, inputs = brick.build().eval(), brick.inputs()
    program = torch.export.export(layer, inputs)
    torch.testing.assert_close(program.module()(*inputs), layer(*inputs))


def test_runs_on_meta(brick):
    layer, inputs = brick.build(), brick.inputs()
    expected = layer(*inputs)
    out = layer.to("meta")(*(x.to("meta") for x in inputs))
    assert out.is_meta
    assert (out.shape, out.dtype) == (expected.shape, expected.dtype)


def test_runs_under_autocast(brick):
    layer, inputs = brick.build(), brick.inputs()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(*inputs)
    assert out.isfinite().all()
    torch.testing.assert_close(out.float(), layer(*inputs), rtol=5e-2, atol=5e-2)


def test_copies_and_pickles(brick):
    layer, inputs = brick.build(), brick.inputs()
    expected = layer(*inputs)
    torch.testing.assert_close(copy.deepcopy(layer)(*inputs), expected)
    torch.testing.assert_close(pickle.loads(pickle.dumps(layer))(*inputs), expected)


def test_leaves_its_inputs_alone(brick):
    layer, inputs = brick.build(), brick.inputs()
    before = [x.clone() for x in inputs]
    layer(*inputs)
    assert all(torch.equal(x, y) for x, y in zip(inputs, before, strict=True))


def test_exported_roi_align_takes_any_number_of_boxes():
    x, rois = image_and_rois()
    layer = ops.RoIAlign(3, 1.0, 2)
    count = torch.export.Dim("count", min=1, max=1000)
    program = torch.export.export(layer, (x, rois), dynamic_shapes=(None, {0: count}))
    more = rois.repeat(3, 1)
    torch.testing.assert_close(program.module()(x, more), layer(x, more))


def test_exported_deform_conv_takes_any_batch_and_size():
    layer, (x,) = ops.ModulatedDeformConv2dPack(4, 6, 3, padding=1), image()
    batch, height = (
        torch.export.Dim("batch", min=2, max=8),
        torch.export.Dim("height", min=4, max=64),
    )
    program = torch.export.export(layer, (x,), dynamic_shapes=({0: batch, 2: height},))
    other = torch.rand(3, 4, 12, 7)
    torch.testing.assert_close(program.module()(other), layer(other))
