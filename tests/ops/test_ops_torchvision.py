"""The operators that torchvision has, against torchvision: `hatch run bench:live`."""

import brickwork_ops as ops
import pytest
import torch

torchvision_ops = pytest.importorskip("torchvision.ops", exc_type=ImportError)


@pytest.fixture(autouse=True)
def _own_implementation(monkeypatch):
    """Compare with our implementation where torchvision's would be chosen."""
    monkeypatch.setattr("brickwork_ops._backends._chosen", {"nms": "brickwork"})


def gradients(function, *inputs):
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = function(*leaves)
    torch.manual_seed(9)
    return out, torch.autograd.grad(out, leaves, torch.randn_like(out))


def assert_same(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups", "deform_groups"),
    [(1, 1, 1, 1, 1), (2, 0, 1, 2, 1), (1, 2, 2, 1, 4), ((2, 1), (1, 2), (2, 1), 2, 4)],
)
def test_deform_conv_equals_that_of_torchvision(stride, padding, dilation, groups, deform_groups):
    torch.manual_seed(0)
    x, weight = torch.randn(2, 8, 9, 8).double(), torch.randn(6, 8 // groups, 3, 3).double()
    size = torch.nn.functional.conv2d(x, weight, None, stride, padding, dilation, groups).shape[2:]
    offset = torch.randn(2, deform_groups * 18, *size).double() * 2
    mask = torch.rand(2, deform_groups * 9, *size).double()

    def ours(x, offset, mask, weight):
        how = (stride, padding, dilation, groups, deform_groups)
        return ops.modulated_deform_conv2d(x, offset, mask, weight, None, *how)

    def theirs(x, offset, mask, weight):
        return torchvision_ops.deform_conv2d(
            x, offset, weight, None, stride, padding, dilation, mask
        )

    assert_same(
        gradients(ours, x, offset, mask, weight), gradients(theirs, x, offset, mask, weight)
    )


def test_offsets_of_zero_have_another_gradient_in_torchvision_at_a_padded_border():
    """The reason why torchvision's deform_conv2d is not chosen by itself."""
    torch.manual_seed(0)
    x, weight = torch.randn(1, 2, 4, 4).double(), torch.randn(2, 2, 3, 3).double()
    offset = torch.zeros(1, 18, 4, 4).double()
    _, ours = gradients(lambda o: ops.deform_conv2d(x, o, weight, padding=1), offset)
    _, theirs = gradients(lambda o: torchvision_ops.deform_conv2d(x, o, weight, padding=1), offset)
    differs = (ours[0] - theirs[0]).abs() > 1e-10
    assert differs.any()
    assert not differs[..., 1:-1, 1:-1].any()


@pytest.mark.parametrize("ratio", [0, 1, 2, 3])
@pytest.mark.parametrize("aligned", [False, True])
def test_roi_align_equals_that_of_torchvision(ratio, aligned):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 20, 30).double()
    corner = torch.rand(200, 2) * 50 - 10
    rois = torch.cat([corner, corner + torch.rand(200, 2) * 60], 1).double()
    rois = torch.cat([torch.randint(0, 2, (200, 1)).double(), rois], 1)
    assert_same(
        gradients(lambda x: ops.roi_align(x, rois, (3, 7), 0.5, ratio, "avg", aligned), x),
        gradients(lambda x: torchvision_ops.roi_align(x, rois, (3, 7), 0.5, ratio, aligned), x),
    )


@pytest.mark.parametrize("count", [10, 1000, 5000])
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.8])
def test_nms_equals_that_of_torchvision(count, threshold):
    torch.manual_seed(0)
    corner = torch.rand(count, 2) * 500
    boxes, scores = torch.cat([corner, corner + torch.rand(count, 2) * 90], 1), torch.rand(count)
    assert torch.equal(
        ops.nms(boxes, scores, threshold)[1], torchvision_ops.nms(boxes, scores, threshold)
    )


def test_nms_by_torchvision_gives_the_same_indices(monkeypatch):
    monkeypatch.setattr("brickwork_ops._backends._chosen", {"nms": "torchvision"})
    torch.manual_seed(0)
    corner = torch.rand(2000, 2) * 300
    boxes = torch.cat([corner, corner + torch.rand(2000, 2) * 90], 1)
    scores = (torch.rand(2000) * 50).round()  # with ties
    by_torchvision = ops.nms(boxes, scores, 0.3, score_threshold=5, max_num=300)
    ops.set_backend("nms", "brickwork")
    by_us = ops.nms(boxes, scores, 0.3, score_threshold=5, max_num=300)
    assert torch.equal(by_torchvision[1], by_us[1])


@pytest.mark.parametrize("backend", ["brickwork", "torchvision"])
@pytest.mark.parametrize("operator", ["deform_conv2d", "modulated_deform_conv2d", "roi_align"])
def test_chosen_backend_computes_the_operator(operator, backend):
    torch.manual_seed(0)
    x, offset, mask = torch.rand(1, 4, 6, 6), torch.rand(1, 18, 6, 6), torch.rand(1, 9, 6, 6)
    weight, bias = torch.rand(4, 4, 3, 3), torch.rand(4)
    calls = {
        "deform_conv2d": lambda: ops.deform_conv2d(x, offset, weight, padding=1),
        "modulated_deform_conv2d": lambda: ops.modulated_deform_conv2d(
            x, offset, mask, weight, bias, padding=1
        ),
        "roi_align": lambda: ops.roi_align(x, torch.tensor([[0.0, 1, 1, 5, 4]]), 2),
    }
    expected = calls[operator]()
    ops.set_backend(operator, backend)
    assert ops.backends()[operator] == backend
    torch.testing.assert_close(calls[operator](), expected)


def error(actual, exact):
    return float((actual.double() - exact).norm() / exact.norm())


def test_float32_error_of_deform_conv_on_a_large_map_is_near_that_of_torchvision():
    torch.manual_seed(0)
    x, weight = torch.randn(1, 32, 100, 167), torch.randn(32, 32, 3, 3)
    offset, mask = torch.randn(1, 18, 100, 167) * 3, torch.rand(1, 9, 100, 167)

    def compute(function, *inputs):
        leaves = [t.clone().requires_grad_() for t in inputs]
        out = function(*leaves)
        return out.detach(), *torch.autograd.grad(out.square().sum(), leaves)

    def ours(x, o, m, w):
        return ops.modulated_deform_conv2d(x, o, m, w, None, 1, 1)

    def theirs(x, o, m, w):
        return torchvision_ops.deform_conv2d(x, o, w, padding=1, mask=m)

    inputs = (x, offset, mask, weight)
    exact = compute(theirs, *(t.double() for t in inputs))
    for actual, other, value in zip(
        compute(ours, *inputs), compute(theirs, *inputs), exact, strict=True
    ):
        assert error(actual, value) <= 3 * error(other, value)


@pytest.mark.parametrize("ratio", [0, 2])
def test_float32_error_of_roi_align_on_a_large_map_is_near_that_of_torchvision(ratio):
    torch.manual_seed(0)
    x = torch.randn(1, 16, 200, 334)
    corner = torch.rand(300, 2) * 600
    rois = torch.cat([torch.zeros(300, 1), corner, corner + torch.rand(300, 2) * 300], 1)
    exact = torchvision_ops.roi_align(x.double(), rois.double(), 7, 0.25, ratio, True)
    theirs = torchvision_ops.roi_align(x, rois, 7, 0.25, ratio, True)
    assert error(ops.roi_align(x, rois, 7, 0.25, ratio), exact) <= 3 * error(theirs, exact)
