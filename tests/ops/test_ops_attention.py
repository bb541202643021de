"""Multi-scale deformable attention against grid_sample and in its other forms."""

import brickwork_ops as ops
import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck

SHAPES = ((6, 5), (3, 4))
KEYS = sum(h * w for h, w in SHAPES)


def random_inputs(dtype=torch.float64):
    torch.manual_seed(0)
    value = torch.randn(2, KEYS, 4, 8, dtype=dtype)
    locations = torch.rand(2, 7, 4, 2, 3, 2, dtype=dtype) * 1.4 - 0.2
    weights = torch.rand(2, 7, 4, 2, 3, dtype=dtype)
    return value, locations, weights


def sampled_attention(value, locations, weights):
    """Sample each level with grid_sample and sum with the weights."""
    out, start = 0, 0
    for level, (height, width) in enumerate(SHAPES):
        maps = value[:, start : start + height * width].permute(0, 2, 3, 1)
        maps = maps.reshape(8, 8, height, width)
        grid = locations[:, :, :, level].transpose(1, 2).reshape(8, 7, 3, 2) * 2 - 1
        samples = F.grid_sample(maps, grid, align_corners=False)
        weight = weights[:, :, :, level].transpose(1, 2).reshape(8, 1, 7, 3)
        out = out + (samples * weight).sum(-1)
        start += height * width
    return out.view(2, 32, 7).transpose(1, 2)


@pytest.mark.parametrize(
    "shapes",
    [SHAPES, torch.tensor(SHAPES), torch.tensor(SHAPES, dtype=torch.int32), [*map(list, SHAPES)]],
    ids=["tuple", "int64", "int32", "list"],
)
def test_equals_samples_of_each_level(shapes):
    value, locations, weights = random_inputs()
    out = ops.multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)
    torch.testing.assert_close(
        out, sampled_attention(value, locations, weights), rtol=0, atol=1e-10
    )


def test_gradients_equal_numerical_ones():
    inputs = [t.requires_grad_() for t in random_inputs()]
    assert gradcheck(
        lambda v, p, w: ops.multi_scale_deformable_attn_pytorch(v, SHAPES, p, w),
        inputs,
        fast_mode=True,
    )


def test_kernel_functions_compute_output_and_gradients():
    value, locations, weights = (t.requires_grad_() for t in random_inputs())
    shapes, starts = torch.tensor(SHAPES), torch.tensor([0, 30])
    expected = ops.multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)
    out = ops.ms_deform_attn_forward(value, shapes, starts, locations, weights, im2col_step=2)
    assert not out.requires_grad
    torch.testing.assert_close(out, expected.detach())
    grad = torch.randn_like(out)
    gradients = torch.autograd.grad(expected, (value, locations, weights), grad)
    buffers = [torch.zeros_like(t) for t in (value, locations, weights)]
    ops.ms_deform_attn_backward(
        value, shapes, starts, locations, weights, grad, *buffers, im2col_step=2
    )
    for buffer, gradient in zip(buffers, gradients, strict=True):
        torch.testing.assert_close(buffer, gradient)


def test_function_of_mmcv_has_apply():
    value, locations, weights = random_inputs()
    shapes = torch.tensor(SHAPES)
    out = ops.MultiScaleDeformableAttnFunction.apply(
        value, shapes, torch.tensor([0, 30]), locations, weights, 64
    )
    expected = ops.multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)
    assert torch.equal(out, expected)


def test_no_queries_give_empty_output():
    value, locations, weights = random_inputs()
    out = ops.multi_scale_deformable_attn_pytorch(value, SHAPES, locations[:, :0], weights[:, :0])
    assert out.shape == (2, 0, 32)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_values_take_single_precision_locations(dtype):
    value, locations, weights = random_inputs(torch.float32)
    expected = ops.multi_scale_deformable_attn_pytorch(value, SHAPES, locations, weights)
    out = ops.multi_scale_deformable_attn_pytorch(value.to(dtype), SHAPES, locations, weights)
    assert out.dtype == dtype
    torch.testing.assert_close(out.float(), expected, rtol=3e-2, atol=3e-2)


def test_new_layer_looks_in_a_direction_per_head():
    layer = ops.MultiScaleDeformableAttention(32, num_heads=4, num_levels=2, num_points=3)
    bias = layer.sampling_offsets.bias.view(4, 2, 3, 2)
    directions = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    for point in range(3):
        expected = directions[:, None].expand(4, 2, 2) * (point + 1)
        torch.testing.assert_close(bias[:, :, point].detach(), expected)
    assert torch.equal(layer.attention_weights.weight, torch.zeros(24, 32))


def test_old_argument_name_warns():
    layer = ops.MultiScaleDeformableAttention(32, 4, 2, 3, dropout=0.0)
    query, value = torch.rand(7, 2, 32), torch.rand(KEYS, 2, 32)
    how = dict(value=value, reference_points=torch.rand(2, 7, 2, 2), spatial_shapes=SHAPES)
    with pytest.warns(DeprecationWarning, match="'residual' .* use 'identity'"):
        out = layer(query, residual=torch.zeros_like(query), **how)
    torch.testing.assert_close(out + query, layer(query, **how))


def test_heads_of_other_sizes_than_powers_of_2_warn():
    with pytest.warns(UserWarning, match="power of 2"):
        ops.MultiScaleDeformableAttention(36, num_heads=3)
