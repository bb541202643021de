"""The initializers beyond mmcv's."""

from __future__ import annotations

import math

import pytest
import torch
from brickwork_init import errors, initialize
from torch import nn


def test_orthogonal_weight_times_its_transpose_is_the_identity() -> None:
    layer = nn.Linear(8, 4)
    initialize(layer, dict(type="Orthogonal", gain=3, layer="Linear"))
    torch.testing.assert_close(layer.weight @ layer.weight.T, 9 * torch.eye(4))


def test_dirac_and_eye_give_identity_layers() -> None:
    conv, linear = nn.Conv2d(4, 4, 3, padding=1, groups=2), nn.Linear(5, 5)
    initialize(conv, dict(type="Dirac", groups=2, layer="Conv2d"))
    initialize(linear, dict(type="Eye", layer="Linear"))
    picture, vector = torch.rand(1, 4, 6, 6), torch.rand(2, 5)
    torch.testing.assert_close(conv(picture), picture)
    torch.testing.assert_close(linear(vector), vector)


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_lecun_has_variance_one_over_fan_in(distribution: str) -> None:
    layer = nn.Linear(400, 300)
    initialize(layer, dict(type="LeCun", distribution=distribution, layer="Linear"))
    assert layer.weight.std().item() == pytest.approx(math.sqrt(1 / 400), rel=0.02)
    with pytest.raises(errors.RuleError):
        initialize(layer, dict(type="LeCun", distribution="cauchy"))


def test_vit_trunc_normal_is_truncated_at_two_standard_deviations() -> None:
    layer = nn.Linear(300, 300)
    initialize(layer, dict(type="ViTTruncNormal", layer="Linear"))
    assert 0.0399 < layer.weight.abs().max().item() <= 0.04
    # the deviation of a standard normal cut at two: sqrt(1 - 4 phi(2) / (2 Phi(2) - 1))
    assert layer.weight.std().item() == pytest.approx(0.02 * 0.8796, rel=0.02)


class Bottleneck(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(2)
        self.last = nn.Sequential(nn.Conv2d(2, 2, 1), nn.GroupNorm(1, 2), nn.ReLU())
        self.downsample = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2))


def test_identity_residual_zeroes_the_last_norm_of_the_main_path() -> None:
    model = nn.Sequential(Bottleneck(), Bottleneck())
    initialize(model, dict(type="IdentityResidual", layer="Bottleneck"))
    for block in model:
        assert (block.last[1].weight == 0).all()
        assert (block.bn1.weight == 1).all()
        assert (block.downsample[1].weight == 1).all()


def test_identity_residual_selects_the_norm_by_name() -> None:
    model = Bottleneck()
    initialize(model, dict(type="IdentityResidual", norm="bn1", layer="Bottleneck"))
    assert (model.bn1.weight == 0).all()
    with pytest.raises(errors.RuleError, match="has no module 'bn2': did you mean 'bn1'"):
        initialize(model, dict(type="IdentityResidual", norm="bn2", layer="Bottleneck"))
    with pytest.raises(errors.RuleError, match="no norm with a weight"):
        initialize(nn.Linear(1, 1), dict(type="IdentityResidual", layer="Linear"))
