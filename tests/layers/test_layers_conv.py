"""Convolutions of this package: formulas and loading."""

import math

import brickwork_layers as layers
import pytest
import torch
import torch.nn.functional as F
from brickwork_layers import build_conv_layer
from torch import nn

X = torch.randn(2, 4, 9, 7, generator=torch.Generator().manual_seed(0))


def standardized(weight: torch.Tensor, eps: float) -> torch.Tensor:
    filters = []
    for kernel in weight.double():
        mean = kernel.sum() / kernel.numel()
        std = math.sqrt(((kernel - mean) ** 2).sum() / (kernel.numel() - 1))
        filters.append((kernel - mean) / (std + eps))
    return torch.stack(filters).float()


@pytest.mark.parametrize("mode", ["zeros", "reflect", "circular"])
def test_conv_ws_standardizes_its_weight(mode: str) -> None:
    layer = layers.ConvWS2d(4, 6, 3, 2, 1, groups=2, eps=1e-3, padding_mode=mode)
    plain = nn.Conv2d(4, 6, 3, 2, 1, groups=2, padding_mode=mode)
    plain.load_state_dict(
        {"weight": standardized(layer.weight.detach(), 1e-3), "bias": layer.bias.detach()}
    )
    torch.testing.assert_close(layer(X), plain(X), rtol=1e-4, atol=1e-5)


def test_conv_ws_2d_formula() -> None:
    weight = torch.randn(6, 2, 3, 3)
    ours = layers.conv_ws_2d(X, weight, None, 2, 1, 1, 2, 1e-2)
    expected = F.conv2d(X, standardized(weight, 1e-2), None, 2, 1, 1, 2)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


def test_conv_aws_formula() -> None:
    layer = layers.ConvAWS2d(4, 6, 3, padding=1)
    layer.weight_gamma.normal_()
    layer.weight_beta.normal_()
    flat = layer.weight.detach().flatten(1)
    weight = (flat - flat.mean(1, keepdim=True)) / (flat.var(1, keepdim=True) + 1e-5).sqrt()
    weight = layer.weight_gamma.flatten(1) * weight + layer.weight_beta.flatten(1)
    expected = F.conv2d(X, weight.view_as(layer.weight), layer.bias, padding=1)
    torch.testing.assert_close(layer(X), expected)


@pytest.mark.parametrize("assign", [True, False])
@pytest.mark.parametrize("depth", [0, 1])
def test_conv_aws_loads_a_plain_convolution(assign: bool, depth: int) -> None:
    plain: nn.Module = nn.Conv2d(4, 6, 3)
    layer: nn.Module = layers.ConvAWS2d(4, 6, 3)
    for _ in range(depth):
        plain, layer = nn.Sequential(plain), nn.Sequential(layer)
    state = plain.state_dict()
    keys = list(state)
    result = layer.load_state_dict(state, assign=assign)
    assert not result.missing_keys
    assert not result.unexpected_keys
    assert list(state) == keys
    torch.testing.assert_close(layer(X), plain(X), rtol=1e-4, atol=1e-5)


def test_conv_aws_loads_its_own_checkpoint() -> None:
    first, second = layers.ConvAWS2d(4, 6, 3), layers.ConvAWS2d(4, 6, 3)
    first.weight_gamma.fill_(-2.0)  # valid here; in mmcv negative values mean "missing"
    first.weight_beta.normal_()
    second.load_state_dict(first.state_dict())
    assert torch.equal(second.weight_gamma, first.weight_gamma)
    assert torch.equal(second.weight_beta, first.weight_beta)


def test_conv_aws_without_a_weight_in_the_checkpoint_keeps_its_buffers() -> None:
    layer = layers.ConvAWS2d(4, 6, 3)
    result = layer.load_state_dict({"bias": torch.zeros(6)}, strict=False)
    assert result.missing_keys == ["weight", "weight_gamma", "weight_beta"]
    assert torch.equal(layer.weight_gamma, torch.ones(6, 1, 1, 1))


def test_conv_aws_refuses_a_weight_of_another_shape() -> None:
    layer = layers.ConvAWS2d(4, 6, 3)
    with pytest.raises(RuntimeError, match="size mismatch for weight"):
        layer.load_state_dict(nn.Conv2d(4, 5, 3).state_dict(), strict=False)


def test_conv_aws_on_meta_loads_a_plain_convolution() -> None:
    plain = nn.Conv2d(4, 6, 3)
    with torch.device("meta"):
        layer = layers.ConvAWS2d(4, 6, 3)
    layer.load_state_dict(plain.state_dict(), assign=True)
    torch.testing.assert_close(layer(X), plain(X), rtol=1e-4, atol=1e-5)


def test_conv_aws_reset_parameters_resets_its_buffers() -> None:
    with torch.device("meta"):
        layer = layers.ConvAWS2d(4, 6, 3)
    layer.to_empty(device="cpu").reset_parameters()
    assert torch.equal(layer.weight_gamma, torch.ones(6, 1, 1, 1))
    assert torch.equal(layer.weight_beta, torch.zeros(6, 1, 1, 1))


@pytest.mark.parametrize("kernel", [1, 2, 3, (4, 1)])
@pytest.mark.parametrize("stride", [1, 2, (3, 2)])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("size", [(9, 7), (8, 8), (1, 5)])
def test_adaptive_padding_gives_ceil_of_size_by_stride(
    kernel: int | tuple[int, int],
    stride: int | tuple[int, int],
    dilation: int,
    size: tuple[int, int],
) -> None:
    layer = layers.Conv2dAdaptivePadding(1, 1, kernel, stride, padding=5, dilation=dilation)
    x = torch.randn(1, 1, *size)
    out = layer(x)
    steps = stride if isinstance(stride, tuple) else (stride, stride)
    assert out.shape[2:] == tuple(math.ceil(s / step) for s, step in zip(size, steps, strict=True))

    # The top left output covers floor(padding / 2) zeros, then the image.
    kernels = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    padded = torch.zeros(64, 64)
    offsets = []
    for s, k, step in zip(size, kernels, steps, strict=True):
        total = max((math.ceil(s / step) - 1) * step + (k - 1) * dilation + 1 - s, 0)
        offsets.append(total // 2)
    padded[offsets[0] : offsets[0] + size[0], offsets[1] : offsets[1] + size[1]] = x[0, 0]
    window = padded[: kernels[0] * dilation : dilation, : kernels[1] * dilation : dilation]
    expected = (window * layer.weight[0, 0]).sum() + layer.bias[0]
    torch.testing.assert_close(out[0, 0, 0, 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["ConvTranspose1d", "deconv1d"])
def test_transposed_1d_is_that_of_torch(name: str) -> None:
    layer = build_conv_layer({"type": name}, 4, 6, 4, stride=2, padding=1)
    assert type(layer) is nn.ConvTranspose1d
    assert layer(X[..., 0]).shape == (2, 6, 18)


@pytest.mark.parametrize(
    ("ours", "torchs", "args"),
    [
        ("Conv2d", "Conv2d", (4, 3, 3)),
        ("Conv3d", "Conv3d", (4, 3, 3)),
        ("ConvTranspose2d", "ConvTranspose2d", (4, 3, 3)),
        ("ConvTranspose3d", "ConvTranspose3d", (4, 3, 3)),
        ("MaxPool2d", "MaxPool2d", (2,)),
        ("MaxPool3d", "MaxPool3d", (2,)),
        ("Linear", "Linear", (4, 3)),
    ],
)
def test_wrappers_equal_the_layers_of_torch(ours: str, torchs: str, args: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer = getattr(layers, ours)(*args)
    torch.manual_seed(0)
    plain = getattr(nn, torchs)(*args)
    assert isinstance(layer, type(plain))
    assert repr(layer) == repr(plain)
    for name, value in plain.state_dict().items():
        assert torch.equal(layer.state_dict()[name], value)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (layers.Conv2d(4, 3, 3, 2), (0, 4, 9, 9), (0, 3, 4, 4)),
        (layers.Conv3d(4, 3, 3), (0, 4, 5, 5, 5), (0, 3, 3, 3, 3)),
        (layers.ConvTranspose2d(4, 3, 2, 2), (0, 4, 5, 5), (0, 3, 10, 10)),
        (layers.ConvTranspose3d(4, 3, 2, 2), (0, 4, 2, 2, 2), (0, 3, 4, 4, 4)),
        (layers.MaxPool2d(2, ceil_mode=True), (0, 4, 5, 5), (0, 4, 3, 3)),
        (layers.MaxPool3d(2), (0, 4, 5, 5, 5), (0, 4, 2, 2, 2)),
        (layers.Linear(4, 3), (0, 4), (0, 3)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
@pytest.mark.parametrize("train", [True, False])
def test_wrappers_accept_empty_tensors(
    layer: nn.Module, shape: tuple[int, ...], expected: tuple[int, ...], train: bool
) -> None:
    x = torch.empty(shape, requires_grad=True)
    out = layer.train(train)(x)
    assert out.shape == expected
    layer.zero_grad()
    out.sum().backward()  # DDP waits for a gradient of every parameter
    assert all(p.grad is not None for p in layer.parameters())
