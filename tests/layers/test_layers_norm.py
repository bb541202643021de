"""Norms: names, arguments and formulas."""

from typing import Any

import brickwork_layers as layers
import pytest
import torch
from brickwork_layers import build_norm_layer, infer_abbr, is_norm
from torch import nn


@pytest.mark.parametrize(
    ("cfg", "name"),
    [
        ({"type": "BN"}, "bn"),
        ({"type": "BN3d"}, "bn"),
        ({"type": "SyncBN"}, "bn"),
        ({"type": "IN1d"}, "in"),
        ({"type": "GN", "num_groups": 2}, "gn"),
        ({"type": "LN"}, "ln"),
        ({"type": "LN2d"}, "ln"),
        ({"type": "RMSNorm"}, "rms"),
        ({"type": "GRN"}, "grn"),
    ],
)
def test_name_is_the_abbreviation_with_the_postfix(cfg: dict[str, Any], name: str) -> None:
    assert build_norm_layer(cfg, 4)[0] == name
    assert build_norm_layer(cfg, 4, 1)[0] == f"{name}1"
    assert build_norm_layer(cfg, 4, postfix="_out")[0] == f"{name}_out"


def test_infer_abbr_uses_base_class_name_or_attribute() -> None:
    names = ("MyBatchThing", "GroupThing", "LayerThing", "InstanceThing", "Thing")
    classes = [type(name, (nn.Module,), {}) for name in names]
    assert list(map(infer_abbr, classes)) == ["bn", "gn", "ln", "in", "norm_layer"]
    assert infer_abbr(type("MyNorm", (nn.BatchNorm2d,), {"_abbr_": "mine"})) == "mine"
    with pytest.raises(TypeError, match="must be a class"):
        infer_abbr(nn.BatchNorm2d(1))


def test_postfix_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="postfix must be an int or a str"):
        build_norm_layer({"type": "BN"}, 4, 1.5)


@pytest.mark.parametrize("frozen", [True, False])
def test_requires_grad_sets_all_parameters(frozen: bool) -> None:
    _, layer = build_norm_layer({"type": "BN", "requires_grad": not frozen}, 4)
    assert [p.requires_grad for p in layer.parameters()] == [not frozen] * 2


def test_config_without_requires_grad_keeps_that_of_the_constructor() -> None:
    class Frozen(nn.BatchNorm2d):
        def __init__(self, num_features: int) -> None:
            super().__init__(num_features)
            self.requires_grad_(False)

    assert not any(p.requires_grad for p in build_norm_layer({"type": Frozen}, 4)[1].parameters())
    layer = build_norm_layer({"type": Frozen, "requires_grad": True}, 4)[1]
    assert all(p.requires_grad for p in layer.parameters())


@pytest.mark.parametrize("kind", ["BN", "LN", "GN", "RMSNorm", "GRN"])
def test_eps_defaults_to_1e_5(kind: str) -> None:
    options = {"num_groups": 2} if kind == "GN" else {}
    assert build_norm_layer({"type": kind, **options}, 4)[1].eps == 1e-5
    assert build_norm_layer({"type": kind, "eps": 1e-3, **options}, 4)[1].eps == 1e-3


def test_eps_is_not_passed_to_layers_without_it() -> None:
    assert isinstance(build_norm_layer({"type": nn.Identity}, 4)[1], nn.Identity)

    class Bare(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.channels = channels

    assert build_norm_layer({"type": Bare}, 4)[1].channels == 4


@pytest.mark.parametrize(
    ("kind", "classes"),
    [
        ("BN", [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d]),
        ("IN", [nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d]),
    ],
)
def test_dim_selects_the_class(kind: str, classes: list[type]) -> None:
    for dim, expected in enumerate(classes, start=1):
        assert type(build_norm_layer({"type": kind, "dim": dim}, 4)[1]) is expected
    with pytest.raises(ValueError, match="must be 1, 2 or 3"):
        build_norm_layer({"type": kind, "dim": 4}, 4)


@pytest.mark.parametrize("kind", ["GN", nn.GroupNorm])
def test_group_norm_takes_channels_second(kind: Any) -> None:
    layer = build_norm_layer({"type": kind, "num_groups": 2}, 6)[1]
    assert (layer.num_groups, layer.num_channels) == (2, 6)
    with pytest.raises(TypeError, match="num_groups"):
        build_norm_layer({"type": kind}, 6)


def test_custom_group_norm_takes_channels_first() -> None:
    class OneGroup(nn.GroupNorm):
        def __init__(self, num_channels: int, eps: float) -> None:
            super().__init__(1, num_channels, eps)

    layer = build_norm_layer({"type": OneGroup}, 6)[1]
    assert (layer.num_groups, layer.num_channels) == (1, 6)


def test_is_norm_accepts_norms_that_are_not_excluded() -> None:
    norms = [
        nn.BatchNorm1d(2),
        nn.InstanceNorm3d(2),
        nn.GroupNorm(1, 2),
        nn.LayerNorm(2),
        nn.RMSNorm(2),
        layers.SyncBatchNorm(2),
        layers.LayerNorm2d(2),
        layers.GRN(2),
    ]
    assert all(map(is_norm, norms))
    assert not is_norm(nn.Conv2d(1, 1, 1))
    assert not is_norm(norms[0], exclude=nn.BatchNorm1d)
    assert not is_norm(norms[0], exclude=(nn.LayerNorm, nn.BatchNorm1d))
    assert is_norm(norms[0], exclude=(nn.LayerNorm,))
    for wrong in ("BN", (nn.LayerNorm, "BN")):
        with pytest.raises(TypeError, match="exclude must be a class"):
            is_norm(norms[0], exclude=wrong)


@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 5, 4), (2, 3, 2, 5, 4)])
def test_layer_norm_2d_formula(shape: tuple[int, ...]) -> None:
    layer = layers.LayerNorm2d(3, eps=1e-3)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    x = torch.randn(shape)
    mean = x.mean(1, keepdim=True)
    var = ((x - mean) ** 2).mean(1, keepdim=True)
    affine = [1, 3] + [1] * (len(shape) - 2)
    expected = (x - mean) / (var + 1e-3).sqrt() * layer.weight.view(affine)
    torch.testing.assert_close(layer(x), expected + layer.bias.view(affine))


def test_grn_formula() -> None:
    layer = layers.GRN(3)
    x = torch.randn(2, 3, 5, 4)
    assert torch.equal(layer(x), x)  # initially the identity
    nn.init.normal_(layer.gamma)
    nn.init.normal_(layer.beta)
    g = x.pow(2).sum((2, 3), keepdim=True).sqrt()
    n = g / (g.mean(1, keepdim=True) + 1e-6)
    expected = layer.gamma.view(1, 3, 1, 1) * x * n + layer.beta.view(1, 3, 1, 1) + x
    torch.testing.assert_close(layer(x), expected)

    last = layers.GRN(3, data_format="channels_last")
    last.load_state_dict(layer.state_dict())
    torch.testing.assert_close(last(x.movedim(1, -1)), expected.movedim(1, -1))
    with pytest.raises(ValueError, match="'channels_first' or 'channels_last'"):
        layers.GRN(3, data_format="nchw")


def test_rms_norm_formula() -> None:
    layer = build_norm_layer({"type": "RMSNorm", "eps": 1e-3}, 6)[1]
    x = torch.randn(4, 6)
    torch.testing.assert_close(layer(x), x / (x.pow(2).mean(-1, keepdim=True) + 1e-3).sqrt())
