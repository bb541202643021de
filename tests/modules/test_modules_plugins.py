"""Plugin blocks against their formulas."""

import math

import pytest
import torch
from brickwork_modules import (
    PLUGIN_LAYERS,
    ContextBlock,
    GeneralizedAttention,
    NonLocal1d,
    NonLocal2d,
    NonLocal3d,
    build_plugin_layer,
    infer_abbr,
)
from brickwork_registry import validate
from torch import Tensor, nn


def randomized(module: nn.Module) -> nn.Module:
    """Fill every parameter with random values, and return the module."""
    torch.manual_seed(1)
    for parameter in module.parameters():
        if parameter.is_floating_point():
            nn.init.normal_(parameter, std=0.3)
    return module


def pointwise(module: nn.Module, x: Tensor) -> Tensor:
    """Apply a 1 x 1 convolution to each position of an input (N, C, L)."""
    weight = module.weight.flatten(1)
    return torch.einsum("oc,ncl->nol", weight, x) + module.bias[:, None]


@pytest.mark.parametrize("mode", ["embedded_gaussian", "gaussian", "dot_product", "concatenation"])
def test_non_local_equals_its_formula(mode: str) -> None:
    block = randomized(NonLocal2d(4, mode=mode))
    x = torch.randn(2, 4, 3, 5)
    flat = x.flatten(2)
    values = pointwise(block.g.conv, flat)
    if mode == "gaussian":
        theta = phi = flat
    else:
        theta, phi = pointwise(block.theta.conv, flat), pointwise(block.phi.conv, flat)
    n, _, count = flat.shape
    weights = torch.zeros(n, count, count)
    for i in range(count):
        for j in range(count):
            if mode == "concatenation":
                both = torch.cat([theta[:, :, i], phi[:, :, j]], dim=1)
                score = (both @ block.concat_project.conv.weight.flatten()).relu()
            else:
                score = (theta[:, :, i] * phi[:, :, j]).sum(1)
            weights[:, i, j] = score
    if mode in ("dot_product", "concatenation"):
        weights = weights / count
    else:
        weights = (weights / (math.sqrt(2) if mode == "embedded_gaussian" else 1)).softmax(-1)
    attended = torch.einsum("nij,ncj->nci", weights, values)
    expected = flat + pointwise(block.conv_out.conv, attended)
    torch.testing.assert_close(block(x), expected.view_as(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [(NonLocal1d, (2, 4, 6)), (NonLocal2d, (2, 4, 4, 6)), (NonLocal3d, (2, 4, 3, 4, 6))],
)
@pytest.mark.parametrize("norm", [None, "BN"])
def test_new_non_local_block_is_the_identity(kind: type, shape: tuple, norm: str | None) -> None:
    norm_cfg = norm and dict(type=norm, dim=len(shape) - 2)
    block = kind(4, sub_sample=True, norm_cfg=norm_cfg)
    x = torch.randn(shape)
    assert torch.equal(block(x), x)
    block = kind(4, zeros_init=False, std=0.5)
    assert not torch.allclose(block(x), x)


def test_non_local_with_sub_sampling_can_be_initialized_again() -> None:
    block = randomized(NonLocal2d(4, sub_sample=True))
    block.init_weights(std=0.0)
    assert not any(parameter.any() for parameter in block.parameters())


def test_non_local_refuses_an_unknown_mode() -> None:
    with pytest.raises(ValueError, match=r"embedded_gaussian.*, got 'cosine'"):
        NonLocal2d(4, mode="cosine")


@pytest.mark.parametrize("pooling", ["att", "avg"])
@pytest.mark.parametrize(
    "fusion", [["channel_add"], ["channel_mul"], ["channel_add", "channel_mul"]]
)
def test_context_block_equals_its_formula(pooling: str, fusion: list) -> None:
    block = randomized(ContextBlock(4, 0.5, pooling, fusion))
    x = torch.randn(2, 4, 3, 5)
    flat = x.flatten(2)
    if pooling == "avg":
        context = flat.mean(2, keepdim=True)
    else:
        weights = pointwise(block.conv_mask, flat).softmax(2)
        context = (flat * weights).sum(2, keepdim=True)

    def transform(layers: nn.Sequential) -> Tensor:
        inner = pointwise(layers[0], context)[..., 0]
        inner = nn.functional.layer_norm(
            inner, inner.shape[1:], layers[1].weight.flatten(), layers[1].bias.flatten()
        )
        return pointwise(layers[3], inner.relu()[..., None])

    expected = flat
    if "channel_mul" in fusion:
        expected = expected * transform(block.channel_mul_conv).sigmoid()
    if "channel_add" in fusion:
        expected = expected + transform(block.channel_add_conv)
    torch.testing.assert_close(block(x), expected.view_as(x), rtol=1e-4, atol=1e-5)


def test_context_block_refuses_invalid_arguments() -> None:
    with pytest.raises(ValueError, match="'att' or 'avg', got 'max'"):
        ContextBlock(4, 0.5, "max")
    for fusion in ((), ("add",), "channel_add"):
        with pytest.raises(ValueError, match="fusion_types must be"):
            ContextBlock(4, 0.5, fusion_types=fusion)


@pytest.mark.parametrize("kind", [f"{number:04b}" for number in range(16)])
def test_generalized_attention_equals_its_formula(kind: str) -> None:
    block = randomized(GeneralizedAttention(8, num_heads=2, kv_stride=1, attention_type=kind))
    x = torch.randn(1, 8, 2, 3)
    content, query_position, key_content, position = (digit == "1" for digit in kind)

    def heads(layer: nn.Module) -> Tensor:
        return torch.einsum("oc,chw->ohw", layer.weight.flatten(1), x[0]).view(2, 4, 2, 3)

    waves = 1000.0 ** (torch.arange(2.0) / 2)
    energy = torch.zeros(2, 2, 3, 2, 3)
    for h, w, k, m in torch.cartesian_prod(*(torch.arange(n) for n in (2, 3, 2, 3))).tolist():
        distances = {"x": w - m, "y": h - k}
        relative = torch.zeros(2, 4)
        if query_position or position:
            for axis, distance in distances.items():
                angle = distance / waves
                layer = getattr(block, f"appr_geom_fc_{axis}")
                embedded = layer(torch.cat([angle.sin(), angle.cos()]))
                relative = relative + embedded.view(2, 4) / math.sqrt(2)
        score = torch.zeros(2)
        if content:
            score = score + (
                heads(block.query_conv)[:, :, h, w] * heads(block.key_conv)[:, :, k, m]
            ).sum(1)
        if query_position:
            score = score + (heads(block.query_conv)[:, :, h, w] * relative).sum(1)
        if key_content:
            key = heads(block.key_conv)[:, :, k, m]
            score = score + (block.appr_bias.view(2, 4) * key).sum(1)
        if position:
            score = score + (block.geom_bias.view(2, 4) * relative).sum(1)
        energy[:, h, w, k, m] = score
    attention = energy.flatten(3).softmax(3).view_as(energy)
    attended = torch.einsum("ahwkm,adkm->adhw", attention, heads(block.value_conv))
    out = block.proj_conv(attended.reshape(1, 8, 2, 3))
    torch.testing.assert_close(block(x), block.gamma * out + x, rtol=1e-4, atol=1e-5)


def test_spatial_range_masks_distant_keys() -> None:
    block = randomized(GeneralizedAttention(512, spatial_range=1, num_heads=8, kv_stride=1))
    assert block.local_constraint_map.shape == (42, 42, 42, 42)
    assert block.local_constraint_map.dtype == torch.uint8
    inside = block.local_constraint_map[5, 7] == 0
    rows, columns = inside.any(1).nonzero().flatten(), inside.any(0).nonzero().flatten()
    assert rows.tolist() == [4, 5, 6, 7]  # one more on the far side, as in mmcv
    assert columns.tolist() == [6, 7, 8, 9]
    x = torch.randn(1, 512, 6, 6)
    far = x.clone()
    far[..., 5, 5] += 1
    with torch.no_grad():
        changed = (block(x) - block(far)).abs().amax(1)[0] > 1e-4
    assert not changed[:3, :3].any()
    assert changed[5, 5]


def test_generalized_attention_refuses_invalid_arguments() -> None:
    with pytest.raises(ValueError, match="four digits of 0 and 1, got '11'"):
        GeneralizedAttention(8, attention_type="11")
    with pytest.raises(ValueError, match=r"one of 256, 512 for .*, got 8; use spatial_range=-1"):
        GeneralizedAttention(8, spatial_range=2)


def test_plugins_are_registered_with_their_abbreviations() -> None:
    assert {*PLUGIN_LAYERS} >= {
        *("ConvModule", "NonLocal2d", "ContextBlock", "GeneralizedAttention")
    }
    name, layer = build_plugin_layer(dict(type="NonLocal2d"), "_a", in_channels=4)
    assert (name, type(layer)) == ("nonlocal_block_a", NonLocal2d)
    cfg = dict(type="ConvModule", kernel_size=3)
    name, layer = build_plugin_layer(cfg, 2, in_channels=4, out_channels=6)
    assert (name, layer.out_channels) == ("conv_block2", 6)
    assert cfg == dict(type="ConvModule", kernel_size=3)


def test_validate_finds_wrong_arguments_of_modules_without_building() -> None:
    cfg = dict(type="ConvModule", in_channels=3, out_channels=8, kernel_size=3, strid=2)
    cfg["act_cfg"] = dict(type="Swish", inplace=True)
    paths = [problem.path for problem in validate(cfg, PLUGIN_LAYERS)]
    assert paths == ["strid", "act_cfg.inplace"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("FancyBlock", "fancy_block"), ("HTTPBlock2d", "http_block2d"), ("Fancy", "fancy")],
)
def test_infer_abbr_gives_snake_case(name: str, expected: str) -> None:
    assert infer_abbr(type(name, (), {})) == expected
    assert infer_abbr(type(name, (), {"_abbr_": "own"})) == "own"
    with pytest.raises(TypeError, match="must be a class"):
        infer_abbr(name)


@pytest.mark.parametrize(
    ("cfg", "postfix", "options", "error"),
    [
        ("NonLocal2d", "", {}, TypeError),
        (dict(in_channels=4), "", {}, KeyError),
        (dict(type="NonLocal9d"), "", {}, KeyError),
        (dict(type="NonLocal2d", in_channels=4), 1.5, {}, TypeError),
        (dict(type="NonLocal2d", in_channels=4), "", dict(in_channels=4), TypeError),
    ],
)
def test_build_plugin_layer_refuses_invalid_arguments(cfg, postfix, options, error: type) -> None:
    with pytest.raises(error):
        build_plugin_layer(cfg, postfix, **options)
