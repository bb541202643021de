"""Activations: names, in-place operation and formulas."""

import warnings
from typing import Any

import brickwork_layers as layers
import pytest
import torch
from brickwork_layers import ACTIVATION_LAYERS, build_activation_layer
from torch import nn
from torch.nn.modules import activation

X = torch.linspace(-5, 5, 41)
NOT_INPLACE = [
    "Clamp",
    "Clip",
    "GELU",
    "GLU",
    "HSigmoid",
    "Hardshrink",
    "LogSigmoid",
    "LogSoftmax",
    "PReLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Swish",
    "Tanh",
    "Tanhshrink",
]


def test_every_activation_of_torch_is_registered() -> None:
    for name in set(activation.__all__) - {"MultiheadAttention"}:
        assert ACTIVATION_LAYERS.get(name) is getattr(nn, name)


@pytest.mark.filterwarnings("ignore:HSigmoid computes")
@pytest.mark.parametrize("name", [name for name in ACTIVATION_LAYERS if name != "Threshold"])
def test_inplace_is_passed_to_activations_that_accept_it(name: str) -> None:
    layer = build_activation_layer({"type": name}, inplace=True)
    assert getattr(layer, "inplace", False) is (name not in NOT_INPLACE)


def test_inplace_of_the_config_has_precedence() -> None:
    assert not build_activation_layer({"type": "ReLU", "inplace": False}, inplace=True).inplace
    assert not build_activation_layer({"type": "ReLU"}).inplace


def test_inplace_is_passed_to_custom_classes_that_accept_it() -> None:
    class Plain(nn.Module):
        pass

    class Any_(nn.Module):
        def __init__(self, **options: Any) -> None:
            super().__init__()
            self.options = options

    assert isinstance(build_activation_layer({"type": Plain}, inplace=True), Plain)
    assert build_activation_layer({"type": Any_}, inplace=True).options == {"inplace": True}


def test_inplace_in_the_config_of_an_activation_without_it_is_refused() -> None:
    with pytest.raises(TypeError, match="inplace"):
        build_activation_layer({"type": "Tanh", "inplace": True})


@pytest.mark.parametrize("name", ["Clip", "Clamp"])
def test_clamp_equals_torch_clip(name: str) -> None:
    assert torch.equal(build_activation_layer({"type": name})(X), X.clip(-1, 1))
    layer = build_activation_layer({"type": name, "min": 0.0, "max": None})
    assert torch.equal(layer(X), X.relu())
    with pytest.raises(ValueError, match="min and max must not both be None"):
        layers.Clamp(None, None)


def test_hard_sigmoid_formula() -> None:
    layer = layers.HSigmoid(1, 2, 0.1, 0.9)
    torch.testing.assert_close(
        layer(X), torch.maximum(X * 0 + 0.1, torch.minimum(X * 0 + 0.9, (X + 1) / 2))
    )
    with pytest.raises(ValueError, match="divisor must not be 0"):
        layers.HSigmoid(divisor=0)


def test_hard_sigmoid_warns_only_if_arguments_are_left_out() -> None:
    with pytest.warns(UserWarning, match="bias=1, divisor=2") as caught:
        layer = layers.HSigmoid()
    assert caught[0].filename == __file__
    torch.testing.assert_close(layer(X), nn.functional.hardsigmoid(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layers.HSigmoid(1, 2)
        layers.HSigmoid(bias=3.0, divisor=6.0)


@pytest.mark.parametrize("inplace", [True, False])
def test_hard_swish_equals_torch_hardswish_and_keeps_its_input(inplace: bool) -> None:
    x = X.clone()
    torch.testing.assert_close(layers.HSwish(inplace)(x), nn.functional.hardswish(X))
    assert torch.equal(x, X)


def test_swish_equals_silu() -> None:
    torch.testing.assert_close(layers.Swish()(X), nn.functional.silu(X))
