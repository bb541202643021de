"""Losses, upsampling, masks and attention on whole maps against loops over their formulas."""

import itertools
import math

import brickwork_ops as ops
import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck

SCORES = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)).double()
TARGETS = torch.tensor([0, 3, 2, 4, 1, 0])  # 4 is background
WEIGHT = torch.tensor([0.5, 1.0, 2.0, 3.0]).double()


def loop_sigmoid_focal_loss(gamma, alpha, weight):
    out = torch.zeros_like(SCORES)
    for n, c in itertools.product(*map(range, SCORES.shape)):
        p, target = 1 / (1 + math.exp(-SCORES[n, c])), int(TARGETS[n])
        if target == c:
            out[n, c] = -alpha * (1 - p) ** gamma * math.log(p)
        else:
            out[n, c] = -(1 - alpha) * p**gamma * math.log(1 - p)
        if weight is not None and target < 4:
            out[n, c] *= weight[target]
    return out


def loop_softmax_focal_loss(gamma, alpha, weight):
    out = torch.zeros(len(SCORES)).double()
    for n, target in enumerate(TARGETS.tolist()):
        if target < 4:
            exponentials = [math.exp(score) for score in SCORES[n]]
            p = exponentials[target] / sum(exponentials)
            out[n] = -alpha * (1 - p) ** gamma * math.log(p)
            if weight is not None:
                out[n] *= weight[target]
    return out


@pytest.mark.parametrize("gamma", [0.0, 1.5, 2.0])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(
    ("loss", "layer", "loop"),
    [
        (ops.sigmoid_focal_loss, ops.SigmoidFocalLoss, loop_sigmoid_focal_loss),
        (ops.softmax_focal_loss, ops.SoftmaxFocalLoss, loop_softmax_focal_loss),
    ],
    ids=["sigmoid", "softmax"],
)
def test_focal_loss_equals_a_loop_over_scores(loss, layer, loop, reduction, weight, gamma):
    expected = loop(gamma, 0.3, weight)
    if reduction != "none":
        expected = expected.sum() / (6 if reduction == "mean" else 1)
    actual = loss(SCORES, TARGETS, gamma, 0.3, weight, reduction)
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)
    by_layer = layer(gamma, 0.3, weight, reduction)(SCORES, TARGETS)
    assert torch.equal(by_layer, actual)


@pytest.mark.parametrize("loss", [ops.sigmoid_focal_loss, ops.softmax_focal_loss])
def test_gradients_of_focal_losses_equal_numerical_ones(loss):
    scores = SCORES.clone().requires_grad_()
    assert gradcheck(lambda s: loss(s, TARGETS, 2.0, 0.25, WEIGHT, "none"), [scores])


@pytest.mark.parametrize("loss", [ops.sigmoid_focal_loss, ops.softmax_focal_loss])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_extreme_scores_give_finite_losses_and_gradients(loss, gamma):
    scores = torch.tensor([[200.0, -200.0], [-200.0, 200.0]], requires_grad=True)
    value = loss(scores, torch.tensor([1, 1]), gamma, 0.25)
    value.backward()
    assert value.isfinite()
    assert scores.grad.isfinite().all()


@pytest.mark.parametrize("loss", [ops.sigmoid_focal_loss, ops.softmax_focal_loss])
def test_focal_loss_of_nothing_is_empty(loss):
    empty = torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)
    assert loss(*empty, reduction="sum") == 0
    assert loss(*empty, reduction="none").shape[0] == 0


def loop_carafe(features, masks, kernel, groups, scale):
    n, channels, height, width = features.shape
    out = features.new_zeros(n, channels, height * scale, width * scale)
    reach = kernel // 2
    for i, c, y, x in itertools.product(*map(range, out.shape)):
        group = c // (channels // groups)
        for a, b in itertools.product(range(kernel), range(kernel)):
            row, column = y // scale + a - reach, x // scale + b - reach
            if 0 <= row < height and 0 <= column < width:
                mask = masks[i, (group * kernel + a) * kernel + b, y, x]
                out[i, c, y, x] += features[i, c, row, column] * mask
    return out


@pytest.mark.parametrize(("kernel", "groups", "scale"), [(1, 1, 1), (3, 2, 2), (5, 1, 3)])
@pytest.mark.parametrize("layer", [ops.CARAFE, ops.CARAFENaive])
def test_carafe_equals_a_loop_over_pixels(layer, kernel, groups, scale):
    torch.manual_seed(0)
    features = torch.randn(2, 4, 3, 4).double().requires_grad_()
    masks = torch.rand(2, groups * kernel**2, 3 * scale, 4 * scale).double().requires_grad_()
    upsample = layer(kernel, groups, scale)
    expected = loop_carafe(features.detach(), masks.detach(), kernel, groups, scale)
    torch.testing.assert_close(upsample(features, masks), expected, rtol=0, atol=1e-10)
    assert gradcheck(upsample, [features, masks], fast_mode=True)


def test_carafe_pack_averages_where_its_kernels_are_flat():
    pack = ops.CARAFEPack(4, 2, up_kernel=3)
    torch.nn.init.zeros_(pack.content_encoder.weight)
    x = torch.randn(1, 4, 5, 5)
    average = F.avg_pool2d(x, 3, stride=1, padding=1)
    torch.testing.assert_close(pack(x), F.interpolate(average, scale_factor=2))


@pytest.mark.parametrize("bias", [False, True])
def test_masked_conv_equals_a_loop_over_positions(bias):
    torch.manual_seed(0)
    layer = ops.MaskedConv2d(3, 5, 3, padding=1, bias=bias).double()
    x, mask = torch.randn(1, 3, 4, 6).double(), torch.rand(1, 4, 6) - 0.5
    expected = torch.zeros(1, 5, 4, 6).double()
    padded = F.pad(x, (1, 1, 1, 1))
    for y, z in itertools.product(range(4), range(6)):
        if mask[0, y, z] > 0:
            patch = padded[0, :, y : y + 3, z : z + 3]
            value = (layer.weight * patch).sum((1, 2, 3))
            expected[0, :, y, z] = value if layer.bias is None else value + layer.bias
    torch.testing.assert_close(layer(x, mask), expected, rtol=0, atol=1e-10)
    by_function = ops.masked_conv2d(x, mask, layer.weight, layer.bias, 1)
    torch.testing.assert_close(by_function, expected, rtol=0, atol=1e-10)
    torch.testing.assert_close(layer(x), F.conv2d(x, layer.weight, layer.bias, padding=1))


@pytest.mark.parametrize("size", [(3, 3), (2, 5), (7, 7)])
def test_psa_mask_equals_a_loop_over_pairs_of_pixels(size):
    torch.manual_seed(0)
    height, width = 3, 4
    masks = torch.randn(2, size[0] * size[1], height, width).double().requires_grad_()
    collect = torch.zeros(2, height * width, height, width).double()
    for n, y, x, row, column in itertools.product(
        range(2), range(height), range(width), range(height), range(width)
    ):
        a, b = row - y + (size[0] - 1) // 2, column - x + (size[1] - 1) // 2
        if 0 <= a < size[0] and 0 <= b < size[1]:
            collect[n, row * width + column, y, x] = masks[n, a * size[1] + b, y, x].detach()
    assert torch.equal(ops.PSAMask("collect", size)(masks).detach(), collect)
    flat = collect.view(2, height * width, -1)
    distribute = ops.PSAMask("distribute", size)(masks).detach()
    assert torch.equal(distribute.view(flat.shape), flat.transpose(1, 2))
    assert gradcheck(ops.PSAMask("distribute", size), [masks], fast_mode=True)


def test_criss_cross_attention_equals_attention_over_a_cross():
    torch.manual_seed(0)
    layer = ops.CrissCrossAttention(16).double()
    layer.gamma.scale.data.fill_(0.7)
    x = torch.randn(1, 16, 4, 5).double()
    query, key, value = layer.query_conv(x)[0], layer.key_conv(x)[0], layer.value_conv(x)[0]
    expected = x.clone()
    for y, z in itertools.product(range(4), range(5)):
        cross = [(row, z) for row in range(4) if row != y] + [(y, column) for column in range(5)]
        energy = torch.stack([query[:, y, z] @ key[:, a, b] for a, b in cross]).softmax(0)
        attended = sum(e * value[:, a, b] for e, (a, b) in zip(energy, cross, strict=True))
        expected[0, :, y, z] += 0.7 * attended
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("left", [3, 3, 2]), ("right", [1, 3, 3]), ("top", [1, 3, 2]), ("bottom", [1, 3, 2])],
)
def test_corner_pool_is_a_running_maximum(mode, expected):
    row = torch.tensor([1.0, 3.0, 2.0])
    along = row if mode in ("left", "right") else row[:, None]
    out = ops.CornerPool(mode)(along.view(1, 1, *(along.shape if along.dim() == 2 else (1, 3))))
    if mode == "top":
        expected = [3, 3, 2]
    elif mode == "bottom":
        expected = [1, 3, 3]
    assert out.flatten().tolist() == expected
