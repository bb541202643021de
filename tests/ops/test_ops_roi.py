"""RoI layers against loops over the definition."""

import itertools
import math

import brickwork_ops as ops
import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck


def random_rois(count=9, size=20.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(count, 2, generator=generator, dtype=dtype) * size - 4
    extent = torch.rand(count, 2, generator=generator, dtype=dtype) * size
    image = torch.arange(count, dtype=dtype)[:, None] % 2
    return torch.cat([image, corner, corner + extent], 1)


def random_map(dtype=torch.float64):
    return torch.randn(2, 3, 9, 10, generator=torch.Generator().manual_seed(1), dtype=dtype)


def loop_roi_pool(x, rois, size, scale):
    """Take the maximum of each bin, one bin at a time."""
    _, channels, height, width = x.shape
    out = x.new_zeros(len(rois), channels, *size)
    for r, c, p, q in itertools.product(*map(range, out.shape)):
        image, x1, y1, x2, y2 = rois[r].tolist()
        x1, y1, x2, y2 = x1 * scale, y1 * scale, (x2 + 1) * scale, (y2 + 1) * scale
        if x2 <= x1 or y2 <= y1:
            continue
        bin_height, bin_width = (y2 - y1) / size[0], (x2 - x1) / size[1]
        top, bottom = math.floor(p * bin_height + y1), math.ceil((p + 1) * bin_height + y1)
        left, right = math.floor(q * bin_width + x1), math.ceil((q + 1) * bin_width + x1)
        top, bottom = (min(max(edge, 0), height) for edge in (top, bottom))
        left, right = (min(max(edge, 0), width) for edge in (left, right))
        if bottom > top and right > left:
            out[r, c, p, q] = x[int(image), c, top:bottom, left:right].max()
    return out


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 7)])
@pytest.mark.parametrize("scale", [1.0, 0.5, 0.3])
def test_roi_pool_equals_a_loop_over_bins(size, scale):
    x, rois = random_map(), random_rois()
    assert torch.equal(ops.roi_pool(x, rois, size, scale), loop_roi_pool(x, rois, size, scale))


def test_roi_pool_of_a_box_without_area_is_zero():
    rois = torch.tensor([[0.0, 5.0, 5.0, 3.0, 8.0], [0.0, 90.0, 90.0, 95.0, 95.0]])
    out = ops.roi_pool(random_map(torch.float32), rois, 2)
    assert torch.equal(out, torch.zeros(2, 3, 2, 2))


def test_roi_pool_sends_the_gradient_to_the_first_maximum():
    x = torch.zeros(1, 1, 4, 4, requires_grad=True)
    ops.roi_pool(x, torch.tensor([[0.0, 0.0, 0.0, 3.0, 3.0]]), 2).sum().backward()
    expected = torch.zeros(4, 4)
    expected[::2, ::2] = 1
    assert torch.equal(x.grad[0, 0], expected)


@pytest.mark.parametrize(
    "pool",
    [
        lambda x, rois: ops.roi_pool(x, rois, (2, 3), 0.5),
        lambda x, rois: ops.roi_align(x, rois, (2, 3), 0.5, 2),
        lambda x, rois: ops.roi_align(x, rois, (2, 3), 0.5, 0),
        lambda x, rois: ops.roi_align(x, rois, (2, 3), 0.5, 2, "max"),
        lambda x, rois: ops.roi_align(x, rois, (2, 3), 0.5, 0, "max"),
        lambda x, rois: ops.SimpleRoIAlign((2, 3), 0.5)(x, rois),
    ],
    ids=["pool", "align", "align-adaptive", "align-max", "align-adaptive-max", "simple"],
)
def test_gradients_equal_numerical_ones(pool):
    x = random_map().requires_grad_()
    assert gradcheck(lambda x: pool(x, random_rois().to(x.dtype)), [x], fast_mode=True)


@pytest.mark.parametrize("ratio", [0, 1, 2, 5])
@pytest.mark.parametrize("aligned", [False, True])
def test_roi_align_of_a_constant_inside_is_that_constant(ratio, aligned):
    rois = torch.tensor([[0.0, 2.0, 2.0, 7.0, 6.0], [1.0, 1.0, 1.5, 8.0, 7.0]])
    x = torch.tensor([2.0, 5.0]).view(2, 1, 1, 1).expand(2, 3, 9, 10)
    out = ops.roi_align(x, rois, 3, 1.0, ratio, "avg", aligned)
    torch.testing.assert_close(out[0], torch.full((3, 3, 3), 2.0))
    torch.testing.assert_close(out[1], torch.full((3, 3, 3), 5.0))


def test_roi_align_of_a_ramp_is_the_center_of_each_bin():
    x = torch.arange(10.0).expand(1, 1, 9, 10)
    out = ops.roi_align(x, torch.tensor([[0.0, 1.0, 1.0, 9.0, 8.0]]), (1, 4), 1.0, 2)
    torch.testing.assert_close(out.flatten(), torch.tensor([2.0, 4.0, 6.0, 8.0]) - 0.5)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("aligned", [True, False])
def test_box_of_no_size_is_zero_with_an_adaptive_grid(mode, aligned):
    rois = torch.tensor([[0.0, 4.0, 4.0, 4.0, 4.0]])
    x = torch.ones(1, 2, 9, 10)
    out = ops.roi_align(x, rois, 2, 1.0, 0, mode, aligned)
    assert torch.equal(out, torch.full((1, 2, 2, 2), 0.0 if aligned else 1.0))


def test_order_of_boxes_does_not_matter():
    x, rois = random_map(), random_rois(150)
    order = torch.randperm(150)
    for ratio in (0, 2):
        out = ops.roi_align(x, rois, 3, 0.5, ratio)
        torch.testing.assert_close(ops.roi_align(x, rois[order], 3, 0.5, ratio), out[order])
    simple = ops.SimpleRoIAlign(3, 0.5)
    torch.testing.assert_close(simple(x, rois[order]), simple(x, rois)[order])


@pytest.mark.parametrize(
    "pool",
    [
        lambda x, rois: ops.RoIAlign(3, 0.5)(x, rois),
        lambda x, rois: ops.RoIAlign(3, 0.5, 2, "max")(x, rois),
        lambda x, rois: ops.RoIPool(3, 0.5)(x, rois),
        lambda x, rois: ops.SimpleRoIAlign(3, 0.5)(x, rois),
    ],
    ids=["align", "align-max", "pool", "simple"],
)
def test_no_boxes_give_empty_output(pool):
    x = random_map(torch.float32).requires_grad_()
    out = pool(x, torch.zeros(0, 5))
    assert out.shape == (0, 3, 3, 3)
    out.sum().backward()
    assert torch.equal(x.grad, torch.zeros_like(x))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_that_of_the_input(dtype):
    x, rois = random_map(torch.float32).to(dtype), random_rois(dtype=torch.float32)
    for ratio in (0, 2):
        out = ops.roi_align(x, rois, 3, 0.5, ratio)
        assert out.dtype == dtype
        expected = ops.roi_align(x.float(), rois, 3, 0.5, ratio)
        torch.testing.assert_close(out.float(), expected, rtol=2e-2, atol=2e-2)
    assert ops.roi_pool(x, rois, 3, 0.5).dtype == dtype


def test_old_argument_names_warn():
    with pytest.warns(DeprecationWarning, match="of RoIAlign is deprecated"):
        layer = ops.RoIAlign(out_size=3, sample_num=2)
    assert (layer.output_size, layer.sampling_ratio) == ((3, 3), 2)


def test_point_sample_is_grid_sample_in_the_unit_square():
    x, points = random_map(), torch.rand(2, 4, 5, 2).double()
    expected = F.grid_sample(x, points * 2 - 1, align_corners=False)
    assert torch.equal(ops.point_sample(x, points), expected)
    flat = ops.point_sample(x, points.view(2, 20, 2))
    torch.testing.assert_close(flat.view(2, 3, 4, 5), expected)
    assert torch.equal(ops.bilinear_grid_sample(x, points * 2 - 1), expected)


def test_points_of_a_box_are_mapped_to_the_image():
    rois = torch.tensor([[0.0, 2.0, 4.0, 6.0, 12.0]])
    points = torch.tensor([[[0.0, 0.0], [0.5, 0.25], [1.0, 1.0]]])
    absolute = ops.rel_roi_point_to_abs_img_point(rois, points)
    assert absolute.tolist() == [[[2, 4], [4, 6], [6, 12]]]
    assert torch.equal(ops.rel_roi_point_to_abs_img_point(rois[:, 1:], points), absolute)
    relative = ops.abs_img_point_to_rel_img_point(absolute, (16, 8))
    assert relative.tolist() == [[[0.25, 0.25], [0.5, 0.375], [0.75, 0.75]]]
    image = torch.zeros(1, 1, 16, 8)
    assert torch.equal(ops.rel_roi_point_to_rel_img_point(rois, points, image), relative)


def test_generated_grid_has_the_centers_of_its_cells():
    grid = ops.generate_grid(3, (1, 2), "cpu")
    assert grid.tolist() == [[[0.25, 0.5], [0.75, 0.5]]] * 3
    torch.testing.assert_close(ops.normalize(ops.denormalize(grid)), grid)
