"""Behavior shared by all builders: configs, types, arguments and errors."""

import copy
from collections.abc import Callable, Iterator
from functools import partial
from types import MappingProxyType
from typing import Any

import brickwork_layers as layers
import pytest
from brickwork_layers import _build
from torch import nn

BUILDERS: dict[str, tuple[Callable[..., Any], dict[str, Any], tuple[Any, ...]]] = {
    "conv": (layers.build_conv_layer, {"type": "Conv2d", "stride": 2}, (4, 6, 3)),
    "norm": (
        layers.build_norm_layer,
        {"type": "GN", "num_groups": 2, "requires_grad": False},
        (4,),
    ),
    "activation": (layers.build_activation_layer, {"type": "ELU", "alpha": 0.5}, ()),
    "padding": (layers.build_padding_layer, {"type": "constant", "dim": 1, "value": 1}, (2,)),
    "upsample": (layers.build_upsample_layer, {"type": "bilinear", "scale_factor": 2}, ()),
    "dropout": (layers.build_dropout, {"type": "DropPath", "drop_prob": 0.3}, ()),
}


@pytest.fixture(params=BUILDERS)
def builder(request: pytest.FixtureRequest) -> tuple[Callable[..., Any], dict[str, Any], Any]:
    return BUILDERS[request.param]


def test_config_is_not_modified(builder: Any) -> None:
    build, cfg, args = builder
    before = copy.deepcopy(cfg)
    build(cfg, *args)
    build(MappingProxyType(cfg), *args)
    assert cfg == before


def test_config_without_type_is_refused(builder: Any) -> None:
    build, cfg, args = builder
    with pytest.raises(KeyError, match='must contain the key "type"'):
        build({name: value for name, value in cfg.items() if name != "type"}, *args)


@pytest.mark.parametrize("cfg", [3, "Conv2d", ["Conv2d"]])
def test_config_that_is_not_a_dict_is_refused(builder: Any, cfg: Any) -> None:
    build, _, args = builder
    with pytest.raises(TypeError, match="cfg must be a dict"):
        build(cfg, *args)


def test_unknown_type_gets_a_suggestion(builder: Any) -> None:
    build, cfg, args = builder
    with pytest.raises(KeyError, match=f"did you mean.*'{cfg['type']}'") as caught:
        build({**cfg, "type": cfg["type"] + "x"}, *args)
    assert "registry" in str(caught.value)


def test_misspelled_argument_gets_a_suggestion() -> None:
    with pytest.raises(TypeError, match="strid") as caught:
        layers.build_conv_layer({"type": "Conv2d", "strid": 2}, 4, 6, 3)
    assert any("did you mean 'stride'" in note for note in caught.value.__notes__)
    assert any("conv layer" in note for note in caught.value.__notes__)


def test_argument_in_both_config_and_call_is_refused() -> None:
    with pytest.raises(TypeError, match="Conv2d: got multiple values for argument 'stride'"):
        layers.build_conv_layer({"type": "Conv2d", "stride": 2}, 4, 6, 3, stride=1)


def test_error_of_a_constructor_is_not_wrapped() -> None:
    with pytest.raises(ValueError, match="groups") as caught:
        layers.build_conv_layer({"type": "Conv2d", "groups": 3}, 4, 6, 3)
    assert type(caught.value) is ValueError


@pytest.mark.parametrize(
    "kind",
    ["Conv1d", nn.Conv1d, "torch.nn:Conv1d", partial(nn.Conv1d, dilation=2)],
    ids=["name", "class", "path", "partial"],
)
def test_type_may_be_a_name_class_path_or_partial(kind: Any) -> None:
    layer = layers.build_conv_layer({"type": kind, "stride": 2}, 4, 6, 3, bias=False)
    assert type(layer) is nn.Conv1d
    assert (layer.in_channels, layer.out_channels, layer.stride) == (4, 6, (2,))
    assert layer.bias is None


def test_type_may_be_a_function() -> None:
    def depthwise(channels: int, kernel_size: int) -> nn.Module:
        return nn.Conv2d(channels, channels, kernel_size, groups=channels)

    assert layers.build_conv_layer({"type": depthwise}, 4, kernel_size=3).groups == 4


def test_none_builds_a_plain_convolution() -> None:
    assert type(layers.build_conv_layer(None, 4, 6, 3)) is nn.Conv2d


@pytest.fixture
def norm_layers() -> Iterator[Any]:
    """Return the registry of norms, and restore it afterwards."""
    entries = dict(layers.NORM_LAYERS.module_dict)
    yield layers.NORM_LAYERS
    layers.NORM_LAYERS.module_dict.clear()
    layers.NORM_LAYERS.module_dict.update(entries)


def test_layer_that_mmcv_lacks_can_be_replaced_once_without_force(norm_layers: Any) -> None:
    assert norm_layers.get("LN2d") is layers.LayerNorm2d

    @norm_layers.register_module("LN2d")
    class LayerNorm2d(nn.LayerNorm):
        pass

    assert norm_layers.get("LN2d") is LayerNorm2d
    with pytest.raises(KeyError, match="already registered"):
        norm_layers.register_module("LN2d", module=nn.LayerNorm)


def test_layer_of_mmcv_cannot_be_replaced_without_force(norm_layers: Any) -> None:
    with pytest.raises(KeyError, match="already registered"):
        norm_layers.register_module(["LN2d", "BN"], module=nn.LayerNorm)
    assert norm_layers.get("LN2d") is layers.LayerNorm2d


@pytest.mark.parametrize(
    ("registry", "build"),
    [
        (layers.ACTIVATION_LAYERS, lambda cfg: layers.build_activation_layer(cfg)),
        (layers.NORM_LAYERS, lambda cfg: layers.build_norm_layer(cfg, 4)[1]),
        (layers.PADDING_LAYERS, lambda cfg: layers.build_padding_layer(cfg, 2)),
        (layers.CONV_LAYERS, lambda cfg: layers.build_conv_layer(cfg, 4, 8, 3, groups=2)),
    ],
    ids=["activation", "norm", "padding", "conv"],
)
@pytest.mark.filterwarnings("ignore:HSigmoid computes")
def test_every_name_in_module_dict_builds_from_its_type_alone(registry: Any, build: Any) -> None:
    for name, layer_class in registry.module_dict.items():
        if name != "GN":  # needs num_groups
            assert isinstance(build({"type": name}), layer_class)


def test_signatures_are_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    layers.build_activation_layer({"type": "ReLU"}, inplace=True)
    layers.build_norm_layer({"type": "GN", "num_groups": 2}, 4)

    def fail(*_: Any) -> None:
        raise AssertionError("signature read again")

    monkeypatch.setattr(_build.inspect, "signature", fail)
    layers.build_activation_layer({"type": "ReLU"}, inplace=True)
    layers.build_norm_layer({"type": "GN", "num_groups": 2}, 4)


def test_registry_prints_as_a_table() -> None:
    table = str(layers.ACTIVATION_LAYERS)
    row = next(line for line in table.splitlines() if line.startswith("Clamp"))
    assert "Clip" in row
    assert "Clamp" in row.split()[-1]
