"""Deformable convolutions against plain ones, a dense loop, and themselves in other forms."""

import itertools

import brickwork_ops as ops
import pytest
import torch
import torch.nn.functional as F
from brickwork_ops import _deform_conv
from brickwork_zoo import load_state_dict
from torch import Tensor
from torch.autograd import gradcheck

GEOMETRIES = [
    # stride, padding, dilation, groups, deform_groups
    (1, 1, 1, 1, 1),
    (2, 1, 1, 2, 1),
    (1, 2, 2, 1, 2),
    ((2, 1), (1, 2), (2, 1), 2, 4),
]


def random_inputs(stride, padding, dilation, groups, deform_groups, dtype=torch.float64):
    torch.manual_seed(0)
    x, weight = torch.randn(2, 8, 7, 6, dtype=dtype), torch.randn(6, 8 // groups, 3, 3, dtype=dtype)
    size = F.conv2d(x, weight, None, stride, padding, dilation, groups).shape[2:]
    offset = torch.randn(2, deform_groups * 18, *size, dtype=dtype)
    mask = torch.rand(2, deform_groups * 9, *size, dtype=dtype)
    return x, offset, mask, weight


def bilinear(plane: Tensor, y: float, x: float) -> float:
    """Interpolate in a plane that is 0 outside."""
    height, width = plane.shape
    top, left = int(torch.tensor(y).floor()), int(torch.tensor(x).floor())
    value = 0.0
    for row, column in itertools.product((top, top + 1), (left, left + 1)):
        if 0 <= row < height and 0 <= column < width:
            value += (1 - abs(y - row)) * (1 - abs(x - column)) * float(plane[row, column])
    return value


def dense_deform_conv(x, offset, mask, weight, stride, padding, dilation, groups, deform_groups):
    """Compute the formula of the papers, one output at a time."""
    n, channels, _, _ = x.shape
    outputs, group_channels, kernel_height, kernel_width = weight.shape
    out = x.new_zeros(n, outputs, *offset.shape[2:])
    for i, o, p, q in itertools.product(*map(range, out.shape)):
        group = o // (outputs // groups)
        for c, a, b in itertools.product(
            range(group_channels), range(kernel_height), range(kernel_width)
        ):
            channel = group * group_channels + c
            deform_group = channel // (channels // deform_groups)
            tap = (deform_group * kernel_height + a) * kernel_width + b
            y = p * stride[0] - padding[0] + a * dilation[0] + float(offset[i, 2 * tap, p, q])
            z = q * stride[1] - padding[1] + b * dilation[1] + float(offset[i, 2 * tap + 1, p, q])
            scale = 1.0 if mask is None else float(mask[i, tap, p, q])
            out[i, o, p, q] += float(weight[o, c, a, b]) * scale * bilinear(x[i, channel], y, z)
    return out


@pytest.mark.parametrize("modulated", [False, True])
def test_equals_a_dense_loop_over_the_formula(modulated):
    torch.manual_seed(1)
    x, weight = torch.randn(1, 4, 4, 5).double(), torch.randn(4, 2, 2, 3).double()
    stride, padding, dilation, groups, deform_groups = (1, 2), (1, 1), (2, 1), 2, 2
    offset = torch.randn(1, deform_groups * 12, 4, 3).double()
    mask = torch.rand(1, deform_groups * 6, 4, 3).double() if modulated else None
    how = (stride, padding, dilation, groups, deform_groups)
    expected = dense_deform_conv(x, offset, mask, weight, *how)
    if modulated:
        actual = ops.modulated_deform_conv2d(x, offset, mask, weight, None, *how)
    else:
        actual = ops.deform_conv2d(x, offset, weight, *how)
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_zero_offsets_give_a_plain_convolution(geometry, dtype):
    x, offset, mask, weight = random_inputs(*geometry, dtype=dtype)
    expected = F.conv2d(x, weight, None, *geometry[:4])
    tolerance = {"rtol": 0, "atol": 1e-10 if dtype == torch.float64 else 1e-5 * 8}
    zero = torch.zeros_like(offset)
    torch.testing.assert_close(ops.deform_conv2d(x, zero, weight, *geometry), expected, **tolerance)
    ones = torch.ones_like(mask)
    bias = torch.randn(6, dtype=dtype)
    modulated = ops.modulated_deform_conv2d(x, zero, ones, weight, bias, *geometry)
    torch.testing.assert_close(modulated, expected + bias.view(-1, 1, 1), **tolerance)


@pytest.mark.parametrize("shift", [(1, 0), (0, -2), (-1, 3), (20, 0)])
def test_integer_offsets_give_a_shifted_convolution(shift):
    x, offset, _, weight = random_inputs(1, 1, 1, 1, 1)
    offset = torch.tensor(shift, dtype=x.dtype).repeat(9)[None, :, None, None].expand_as(offset)
    wide = F.pad(x, (21,) * 4)
    rows, columns = (slice(20 + s, 20 + s + size) for s, size in zip(shift, (9, 8), strict=True))
    expected = F.conv2d(wide[:, :, rows, columns], weight)
    actual = ops.deform_conv2d(x, offset, weight, padding=1)
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_gradients_equal_numerical_ones(geometry):
    x, offset, mask, weight = random_inputs(*geometry)
    x, offset, mask = x[:1, :, :4, :4], offset[:1], mask[:1]
    size = F.conv2d(x, weight, None, *geometry[:4]).shape[2:]
    offset, mask = offset[..., : size[0], : size[1]], mask[..., : size[0], : size[1]]
    bias = torch.randn(6).double()
    inputs = [t.clone().requires_grad_() for t in (x, offset, mask, weight, bias)]
    assert gradcheck(lambda *t: ops.modulated_deform_conv2d(*t, *geometry), inputs, fast_mode=True)
    assert gradcheck(
        lambda x, o, w: ops.deform_conv2d(x, o, w, *geometry),
        [inputs[0], inputs[1], inputs[3]],
        fast_mode=True,
    )


def test_chunks_give_the_results_and_gradients_of_one_piece(monkeypatch):
    inputs = [t.requires_grad_() for t in random_inputs(1, 1, 1, 2, 2)]
    whole = ops.modulated_deform_conv2d(*inputs, None, 1, 1, 1, 2, 2)
    expected = torch.autograd.grad(whole.square().sum(), inputs)
    monkeypatch.setattr(_deform_conv, "COLUMN_LIMIT", 9 * 8 * 8 * 10)  # ten positions
    chunked = ops.modulated_deform_conv2d(*inputs, None, 1, 1, 1, 2, 2)
    actual = torch.autograd.grad(chunked.square().sum(), inputs)
    torch.testing.assert_close(chunked, whole, rtol=0, atol=1e-10)
    for ours, other in zip(actual, expected, strict=True):
        torch.testing.assert_close(ours, other, rtol=0, atol=1e-10)


def test_chunks_keep_no_columns_for_the_backward_pass(monkeypatch):
    inputs = [t.requires_grad_() for t in random_inputs(1, 1, 1, 1, 1)]
    monkeypatch.setattr(_deform_conv, "COLUMN_LIMIT", 9 * 8 * 8 * 10)
    columns = 9 * 8 * 2 * 7 * 6
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: kept.append(t.numel()) or t, lambda t: t
    ):
        ops.deform_conv2d(inputs[0], inputs[1], inputs[3], padding=1)
    assert max(kept, default=0) < columns / 2


@pytest.mark.parametrize("value", [torch.inf, -torch.inf, 1e30, -1e30])
def test_far_and_infinite_offsets_read_zeros(value):
    x, offset, _, weight = (t.requires_grad_() for t in random_inputs(1, 1, 1, 1, 1))
    out = ops.deform_conv2d(x, torch.full_like(offset, value), weight, padding=1)
    assert torch.equal(out, torch.zeros_like(out))
    out.sum().backward()
    assert torch.equal(x.grad, torch.zeros_like(x))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_computes_positions_in_single(dtype):
    torch.manual_seed(0)
    x = torch.arange(300.0).expand(1, 1, 1, 300).clone()
    weight = torch.ones(1, 1, 1, 1)
    offset = torch.full((1, 2, 1, 300), 0.5)
    offset[:, 0] = 0
    out = ops.deform_conv2d(x.to(dtype), offset.to(dtype), weight.to(dtype))
    expected = ops.deform_conv2d(x, offset, weight).to(dtype)
    assert out.dtype == dtype
    torch.testing.assert_close(out, expected)


def test_offsets_decide_the_type_as_in_mmcv():
    x, offset, _, weight = random_inputs(1, 1, 1, 1, 1, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ops.deform_conv2d(x, offset, weight, padding=1).dtype == torch.float32
        assert ops.deform_conv2d(x, offset.bfloat16(), weight, padding=1).dtype == torch.bfloat16


def test_keeps_channels_last():
    x, offset, _, weight = random_inputs(1, 1, 1, 1, 1)
    expected = ops.deform_conv2d(x, offset, weight, padding=1)
    out = ops.deform_conv2d(x.to(memory_format=torch.channels_last), offset, weight, padding=1)
    assert expected.is_contiguous()
    assert out.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(out, expected)


def test_empty_batch_gives_empty_output():
    x = torch.randn(0, 4, 5, 5, requires_grad=True)
    weight = torch.randn(6, 4, 3, 3, requires_grad=True)
    out = ops.deform_conv2d(x, torch.zeros(0, 18, 5, 5), weight, padding=1)
    assert out.shape == (0, 6, 5, 5)
    out.sum().backward()
    assert x.grad.shape == x.shape
    assert torch.equal(weight.grad, torch.zeros_like(weight))


@pytest.mark.parametrize("layer", [ops.DeformConv2dPack, ops.ModulatedDeformConv2dPack])
def test_new_pack_starts_with_offsets_of_zero(layer):
    conv = layer(4, 6, 3, padding=1, bias=False)
    x = torch.randn(1, 4, 5, 5)
    scale = 1.0 if layer is ops.DeformConv2dPack else 0.5
    expected = F.conv2d(x, conv.weight, None, padding=1) * scale
    torch.testing.assert_close(conv(x), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("layer", [ops.DeformConv2dPack, ops.ModulatedDeformConv2dPack])
@pytest.mark.parametrize("version", [None, 1])
def test_old_checkpoint_keys_are_renamed(layer, version):
    conv = layer(4, 6, 3)
    state = {
        f"block.conv2.{key}".replace("conv2.conv_offset", "conv2_offset"): torch.rand(value.shape)
        for key, value in conv.state_dict().items()
    }
    expected = state["block.conv2_offset.weight"]
    missing, errors = [], []
    metadata = {} if version is None else {"version": version}
    # as mmcv loads: each module sees all keys
    conv._load_from_state_dict(state, "block.conv2.", metadata, True, missing, [], errors)
    assert not missing
    assert not errors
    assert (
        torch.equal(conv.conv_offset.weight, expected) or "block.conv2_offset.weight" not in state
    )


def test_old_checkpoint_is_loaded_by_the_zoo():
    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv2 = ops.ModulatedDeformConv2dPack(4, 6, 3)

    state = {
        f"block.{key}".replace("conv2.conv_offset", "conv2_offset"): torch.rand(value.shape)
        for key, value in Block().state_dict().items()
    }
    model = torch.nn.ModuleDict({"block": Block()})
    load_state_dict(model, state, strict=True)
    assert torch.equal(model["block"].conv2.conv_offset.bias, state["block.conv2_offset.bias"])


def test_current_checkpoint_leaves_a_neighbor_named_offset_alone():
    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv2 = ops.DeformConv2dPack(4, 6, 3)
            self.conv2_offset = torch.nn.Conv2d(4, 18, 3)

    block = Block()
    missing = Block().load_state_dict(block.state_dict())
    assert not missing.missing_keys
    assert not missing.unexpected_keys


@pytest.mark.parametrize("layer", [ops.DeformConv2d, ops.ModulatedDeformConv2d])
def test_old_argument_name_warns(layer):
    with pytest.warns(DeprecationWarning, match="'deformable_groups' of .* use 'deform_groups'"):
        conv = layer(4, 6, 3, deformable_groups=2)
    assert conv.deform_groups == 2


def test_layers_have_the_attributes_of_a_convolution():
    conv = ops.ModulatedDeformConv2dPack(4, 6, 3, stride=2, padding=1)
    assert (conv.kernel_size, conv.stride, conv.padding) == ((3, 3), (2, 2), (1, 1))
    assert (conv.dilation, conv.transposed, conv.output_padding) == ((1, 1), False, (0,))
    assert not hasattr(ops.DeformConv2d(4, 6, 3), "bias")
    assert "deform_groups=1" in repr(conv)
