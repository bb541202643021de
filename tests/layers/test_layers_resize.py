"""Padding, upsampling and scaling."""

from typing import Any

import brickwork_layers as layers
import pytest
import torch
import torch.nn.functional as F
from brickwork_layers import UPSAMPLE_LAYERS, build_padding_layer, build_upsample_layer
from torch import nn

SHAPES = {1: (2, 3, 6), 2: (2, 3, 6, 5), 3: (2, 3, 6, 5, 4)}
MODES = {"zero": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("kind", MODES)
def test_padding_equals_functional_pad(kind: str, dim: int) -> None:
    x = torch.randn(SHAPES[dim])
    padding = list(range(1, 2 * dim + 1)) if kind == "zero" else [1, 2] * dim
    expected = F.pad(x, padding, mode=MODES[kind])
    assert torch.equal(build_padding_layer({"type": kind, "dim": dim}, tuple(padding))(x), expected)
    assert torch.equal(build_padding_layer({"type": kind}, tuple(padding), dim=dim)(x), expected)


def test_constant_padding_needs_a_value() -> None:
    x = torch.randn(SHAPES[2])
    layer = build_padding_layer({"type": "constant", "value": 0.5}, 2)
    assert torch.equal(layer(x), F.pad(x, [2] * 4, value=0.5))
    with pytest.raises(TypeError, match="value"):
        build_padding_layer({"type": "constant"}, 2)


@pytest.mark.parametrize("dim", [0, 4, "2", None])
def test_padding_with_an_invalid_dim_is_refused(dim: Any) -> None:
    with pytest.raises(ValueError, match="must be 1, 2 or 3"):
        build_padding_layer({"type": "zero", "dim": dim}, 1)


@pytest.mark.parametrize(
    ("mode", "dim"),
    [
        ("nearest", 1),
        ("nearest", 3),
        ("nearest-exact", 2),
        ("linear", 1),
        ("bilinear", 2),
        ("bicubic", 2),
        ("trilinear", 3),
    ],
)
def test_interpolation_equals_functional_interpolate(mode: str, dim: int) -> None:
    x = torch.randn(SHAPES[dim])
    layer = build_upsample_layer({"type": mode, "scale_factor": 2})
    torch.testing.assert_close(layer(x), F.interpolate(x, scale_factor=2, mode=mode))


def test_upsample_class_as_type_keeps_its_mode() -> None:
    assert build_upsample_layer({"type": nn.Upsample, "scale_factor": 2}).mode == "nearest"
    cfg = {"type": nn.Upsample, "scale_factor": 2, "mode": "bicubic"}
    assert build_upsample_layer(cfg).mode == "bicubic"


def test_scoped_interpolation_name_sets_the_mode() -> None:
    cfg = {"type": f"{UPSAMPLE_LAYERS.scope}.bilinear", "scale_factor": 2}
    assert build_upsample_layer(cfg).mode == "bilinear"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("deconv1d", nn.ConvTranspose1d),
        ("deconv", layers.ConvTranspose2d),
        ("deconv3d", layers.ConvTranspose3d),
    ],
)
def test_deconvolution_builds_a_transposed_convolution(kind: str, expected: type) -> None:
    assert type(build_upsample_layer({"type": kind}, 4, 3, kernel_size=2)) is expected


def test_pixel_shuffle_moves_channels_to_pixels() -> None:
    layer = build_upsample_layer(
        {"type": "pixel_shuffle", "scale_factor": 3}, 4, 2, upsample_kernel=3
    )
    x = torch.randn(2, 4, 5, 6)
    many = F.conv2d(x, layer.upsample_conv.weight, layer.upsample_conv.bias, padding=1)
    out = layer(x)
    assert out.shape == (2, 2, 15, 18)
    for row, column, channel in [(0, 0, 0), (4, 7, 1), (14, 17, 1)]:
        source = channel * 9 + (row % 3) * 3 + column % 3
        torch.testing.assert_close(
            out[:, channel, row, column], many[:, source, row // 3, column // 3]
        )


def test_pixel_shuffle_has_xavier_uniform_weights() -> None:
    layer = layers.PixelShufflePack(16, 8, 2, 3)
    bound = (6 / (16 * 9 + 32 * 9)) ** 0.5  # Glorot and Bengio
    weight = layer.upsample_conv.weight
    assert weight.abs().max() <= bound
    assert abs(weight.std().item() - bound / 3**0.5) < 0.02 * bound
    assert not layer.upsample_conv.bias.any()


def test_scale_multiplies_by_one_parameter() -> None:
    x = torch.randn(2, 3)
    layer = layers.Scale(2.5)
    torch.testing.assert_close(layer(x), x * 2.5)
    assert layer.scale.shape == ()


@pytest.mark.parametrize("inplace", [True, False])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_layer_scale_multiplies_each_channel(data_format: Any, inplace: bool) -> None:
    layer = layers.LayerScale(3, inplace, data_format)
    assert torch.all(layer.weight == 1e-5)
    nn.init.normal_(layer.weight)
    x = torch.randn(2, 3, 4, 5) if data_format == "channels_first" else torch.randn(2, 4, 5, 3)
    equation = "nchw,c->nchw" if data_format == "channels_first" else "nhwc,c->nhwc"
    expected = torch.einsum(equation, x, layer.weight.detach().flatten())
    with torch.no_grad():
        out = layer(x)
    torch.testing.assert_close(out, expected)
    assert (out is x) is inplace


def test_layer_scale_with_an_invalid_format_is_refused() -> None:
    with pytest.raises(ValueError, match="'channels_first' or 'channels_last'"):
        layers.LayerScale(3, data_format="nchw")
