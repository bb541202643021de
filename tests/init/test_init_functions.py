"""The free functions, against formulas and plain torch."""

from __future__ import annotations

import math

import pytest
import torch
from brickwork_init import (
    bias_init_with_prob,
    caffe2_xavier_init,
    constant_init,
    errors,
    kaiming_init,
    normal_init,
    trunc_normal_init,
    uniform_init,
    xavier_init,
)
from torch import nn


@pytest.fixture
def conv() -> nn.Conv2d:
    return nn.Conv2d(16, 32, 3)


FAN_IN, FAN_OUT = 16 * 9, 32 * 9


def test_constant_fills_weight_and_bias(conv: nn.Conv2d) -> None:
    constant_init(conv, 0.1)
    assert (conv.weight == 0.1).all()
    assert (conv.bias == 0).all()
    constant_init(conv, 2, bias=3)
    assert (conv.weight == 2).all()
    assert (conv.bias == 3).all()


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_xavier_has_the_standard_deviation_of_the_paper(conv: nn.Conv2d, distribution: str) -> None:
    xavier_init(conv, gain=2, bias=0.1, distribution=distribution)
    std = 2 * math.sqrt(2 / (FAN_IN + FAN_OUT))
    assert conv.weight.std().item() == pytest.approx(std, rel=0.05)
    assert (conv.bias == 0.1).all()
    if distribution == "uniform":
        assert conv.weight.abs().max().item() <= math.sqrt(3) * std


@pytest.mark.parametrize(
    ("mode", "fan"), [("fan_in", FAN_IN), ("fan_out", FAN_OUT)], ids=["in", "out"]
)
@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_kaiming_has_the_standard_deviation_of_the_paper(
    conv: nn.Conv2d, mode: str, fan: int, distribution: str
) -> None:
    kaiming_init(conv, a=0.3, mode=mode, nonlinearity="leaky_relu", distribution=distribution)
    std = math.sqrt(2 / (1 + 0.3**2) / fan)
    assert conv.weight.std().item() == pytest.approx(std, rel=0.05)
    assert (conv.bias == 0).all()


def test_caffe2_xavier_is_uniform_by_fan_in(conv: nn.Conv2d) -> None:
    caffe2_xavier_init(conv, bias=1)
    bound = math.sqrt(3 / FAN_IN)
    assert conv.weight.abs().max().item() <= bound
    assert conv.weight.abs().max().item() > 0.99 * bound
    assert (conv.bias == 1).all()


def test_normal_and_uniform_draw_like_torch(conv: nn.Conv2d) -> None:
    torch.manual_seed(0)
    normal_init(conv, mean=1, std=0.2)
    uniform_init(conv, a=-1, b=3)
    torch.manual_seed(0)
    torch.empty_like(conv.weight).normal_(1, 0.2)
    assert torch.equal(conv.weight, torch.empty_like(conv.weight).uniform_(-1, 3))


def test_trunc_normal_is_the_inverse_of_the_cumulative_function() -> None:
    layer = nn.Linear(100, 100)
    torch.manual_seed(0)
    trunc_normal_init(layer, mean=0.5, std=2, a=-1, b=3, bias=1)
    torch.manual_seed(0)
    normal = torch.distributions.Normal(0.5, 2.0)
    low, high = normal.cdf(torch.tensor(-1.0)), normal.cdf(torch.tensor(3.0))
    uniform = torch.empty(100, 100).uniform_(2 * low.item() - 1, 2 * high.item() - 1)
    expected = normal.icdf((uniform.double() + 1) / 2).float().clamp(-1, 3)
    torch.testing.assert_close(layer.weight.detach(), expected, rtol=1e-4, atol=1e-5)
    assert (layer.bias == 1).all()


def test_trunc_normal_warns_if_mean_is_far_outside_the_bounds() -> None:
    with pytest.warns(UserWarning, match="more than two std"):
        trunc_normal_init(nn.Linear(2, 2), mean=9)


@pytest.mark.parametrize("init", [xavier_init, kaiming_init])
def test_unknown_distribution_raises(init: object, conv: nn.Conv2d) -> None:
    with pytest.raises(errors.RuleError, match="'normal' or 'uniform', got 'student'"):
        init(conv, distribution="student")


def test_module_without_weight_or_bias_is_unchanged() -> None:
    constant_init(nn.ReLU(), 1)
    layer = nn.Conv2d(1, 1, 1, bias=False)
    constant_init(layer, 1, bias=2)
    assert layer.weight.item() == 1
    constant_init(nn.LSTM(2, 2), 1)  # its `bias` is a flag


def test_bias_init_with_prob_inverts_the_sigmoid() -> None:
    assert bias_init_with_prob(0.01) == pytest.approx(-4.59511985013459)
    assert torch.sigmoid(torch.tensor(bias_init_with_prob(0.3))).item() == pytest.approx(0.3)
    with pytest.raises(errors.RuleError, match="between 0 and 1, got 1"):
        bias_init_with_prob(1)


@pytest.mark.parametrize(
    "init",
    [
        lambda tensor: constant_init(tensor, 1),
        lambda tensor: trunc_normal_init(tensor, std=0.02),
        normal_init,
        uniform_init,
        xavier_init,
        kaiming_init,
        caffe2_xavier_init,
    ],
)
def test_tensor_instead_of_a_module_stays_as_it_is_with_a_warning(init: object) -> None:
    weight = nn.Parameter(torch.zeros(2, 3))  # mmcv does nothing with it; models of mmpose pass one
    with pytest.warns(UserWarning, match=r"must be a module .*got a tensor of shape \(2, 3\)"):
        init(weight)
    assert not weight.any()
