"""ConvModule against its layers, called one after another."""

import copy
import itertools

import pytest
import torch
import torch.nn.functional as F
from brickwork_layers import CONV_LAYERS
from brickwork_modules import PLUGIN_LAYERS, ConvModule, DepthwiseSeparableConvModule
from torch import nn

BN = dict(type="BN")


def image(*shape: int) -> torch.Tensor:
    return torch.randn(shape or (2, 4, 8, 8), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("order", list(itertools.permutations(("conv", "norm", "act"))))
@pytest.mark.parametrize("activate", [False, True])
@pytest.mark.parametrize("norm", [False, True])
def test_runs_its_layers_in_their_order(order, activate: bool, norm: bool) -> None:
    module = ConvModule(4, 6, 3, norm_cfg=BN, order=order, inplace=False)
    assert module.bn.num_features == (6 if order.index("norm") > order.index("conv") else 4)
    steps = {"conv": module.conv, "norm": module.bn, "act": module.activate}
    skipped = set() if norm else {"norm"}
    skipped |= set() if activate else {"act"}
    expected = image()
    for step in order:
        if step not in skipped:
            expected = copy.deepcopy(steps[step])(expected)
    assert torch.equal(module(image(), activate=activate, norm=norm), expected)


def test_bias_is_there_without_a_norm_only() -> None:
    assert ConvModule(3, 4, 3).with_bias
    assert ConvModule(3, 4, 3).conv.bias is not None
    assert ConvModule(3, 4, 3, norm_cfg=BN).conv.bias is None
    with pytest.warns(UserWarning, match="Unnecessary conv bias"):
        assert ConvModule(3, 4, 3, bias=True, norm_cfg=BN).conv.bias is not None
    assert ConvModule(4, 4, 3, bias=True, norm_cfg=BN, order=("norm", "act", "conv")).with_bias


@pytest.mark.parametrize(
    ("cfg", "name", "abbreviation"),
    [
        (dict(type="BN"), nn.BatchNorm2d, "bn"),
        (dict(type="GN", num_groups=2), nn.GroupNorm, "gn"),
        (dict(type="IN"), nn.InstanceNorm2d, "in"),
        (dict(type="BN", dim=2), nn.BatchNorm2d, "bn"),
    ],
)
def test_the_norm_has_the_name_of_its_kind(cfg: dict, name: type, abbreviation: str) -> None:
    module = ConvModule(3, 4, 3, norm_cfg=cfg)
    assert module.norm_name == abbreviation
    assert type(module.norm) is name
    assert module.norm is getattr(module, abbreviation)
    assert ConvModule(3, 4, 3).norm is None


def test_tells_what_its_convolution_is() -> None:
    module = ConvModule(
        4, 6, (3, 5), 2, (1, 2), 1, 2, conv_cfg=dict(type="deconv", output_padding=1)
    )
    for name in (
        *("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation"),
        *("transposed", "output_padding", "groups"),
    ):
        assert getattr(module, name) == getattr(module.conv, name)
    assert (module.inplace, module.with_norm, module.with_activation) == (True, False, True)
    assert module.act_cfg == dict(type="ReLU")


def test_leaves_the_configs_as_they_are() -> None:
    configs = dict(
        conv_cfg=dict(type="Conv2d"),
        norm_cfg=dict(type="BN", requires_grad=False),
        act_cfg=dict(type="LeakyReLU", negative_slope=0.2),
    )
    before = copy.deepcopy(configs)
    module = ConvModule(3, 4, 3, **configs)
    assert configs == before
    assert not any(parameter.requires_grad for parameter in module.norm.parameters())


@pytest.mark.parametrize("kind", ["Clip", "Clamp", "GELU", "Tanh", "PReLU", "Softplus", nn.Mish])
def test_takes_activations_with_and_without_inplace(kind) -> None:
    module = ConvModule(4, 4, 1, act_cfg=dict(type=kind))
    assert torch.equal(module(image()), module.activate(module.conv(image())))


def test_inplace_is_passed_where_the_config_does_not_say() -> None:
    assert ConvModule(3, 4, 3).activate.inplace
    assert not ConvModule(3, 4, 3, inplace=False).activate.inplace
    assert not ConvModule(3, 4, 3, act_cfg=dict(type="ReLU", inplace=False)).activate.inplace


@pytest.mark.parametrize(
    ("mode", "torch_mode"),
    [("reflect", "reflect"), ("replicate", "replicate"), ("circular", "circular")],
)
@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("padding", [1, "uneven", "same", "valid"])
def test_pads_as_the_convolution_of_torch_does(mode, torch_mode, dim: int, padding) -> None:
    amount = (1, 2, 0)[:dim] if padding == "uneven" else padding
    conv = getattr(nn, f"Conv{dim}d")(4, 4, 3, padding=amount, dilation=1, padding_mode=torch_mode)
    module = ConvModule(
        4,
        4,
        3,
        padding=amount,
        conv_cfg=dict(type=f"Conv{dim}d"),
        act_cfg=None,
        padding_mode=mode,
    )
    module.conv.load_state_dict(conv.state_dict())
    x = image(2, 4, *(6, 7, 5)[:dim])
    torch.testing.assert_close(module(x), conv(x))
    assert module.padding == amount
    assert module.with_explicit_padding


def test_follows_layers_that_were_replaced_or_switched_off() -> None:
    module = ConvModule(4, 4, 3, norm_cfg=BN)
    module.bn = nn.Identity()
    assert torch.equal(module(image()), module.conv(image()).relu())
    module.activate = nn.Tanh()
    assert torch.equal(module(image()), module.conv(image()).tanh())
    module.with_activation = False
    assert torch.equal(module(image()), module.conv(image()))


def test_runs_the_hooks_of_its_layers() -> None:
    module = ConvModule(4, 4, 3, norm_cfg=BN)
    seen = []
    for name in ("conv", "bn", "activate"):
        getattr(module, name).register_forward_hook(lambda *_, name=name: seen.append(name))
    module(image())
    assert seen == ["conv", "bn", "activate"]


def test_draws_as_he_says_for_the_activation() -> None:
    torch.manual_seed(0)
    relu = ConvModule(64, 64, 3)
    assert relu.conv.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
    leaky = ConvModule(64, 64, 3, act_cfg=dict(type="LeakyReLU", negative_slope=0.5))
    assert leaky.conv.weight.std().item() == pytest.approx((2 / 1.25 / (64 * 9)) ** 0.5, rel=0.02)
    assert torch.equal(leaky.conv.bias, torch.zeros(64))


def test_leaves_a_convolution_with_an_initialisation_of_its_own_to_it() -> None:
    class Ones(nn.Conv2d):
        def init_weights(self) -> None: ...

        def reset_parameters(self) -> None:
            nn.init.ones_(self.weight)
            nn.init.ones_(self.bias)

    with CONV_LAYERS.override(Ones=Ones):
        module = ConvModule(3, 4, 3, conv_cfg=dict(type="Ones"))
    assert torch.equal(module.conv.weight, torch.ones(4, 3, 3, 3))


def test_spectral_norm() -> None:
    module = ConvModule(4, 6, 3, with_spectral_norm=True, act_cfg=None)
    assert {*module.state_dict()} == {
        *("conv.bias", "conv.weight_orig", "conv.weight_u", "conv.weight_v")
    }
    for _ in range(50):  # each forward in training is a step of the power iteration
        module(image())
    module.eval()
    weight = module.conv.weight_orig
    largest = torch.linalg.matrix_norm(weight.flatten(1), ord=2)
    expected = F.conv2d(image(), weight / largest, module.conv.bias)
    torch.testing.assert_close(module(image()), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(order=("conv", "act")), ValueError, r"order must hold 'conv', 'norm' and 'act'"),
        (dict(order=("conv", "act", "act")), ValueError, "each once"),
        (dict(bias="yes"), ValueError, "'auto', but got 'yes'"),
        (dict(norm_cfg="BN"), TypeError, "BN"),
        (dict(act_cfg=["ReLU"]), TypeError, "ReLU"),
        (dict(conv_cfg=dict(type="Conv9d")), KeyError, "Conv9d"),
        (dict(norm_cfg=dict(kind="BN")), KeyError, "type"),
        (dict(act_cfg=dict(type="LeakyReLU", slope=1)), TypeError, "slope"),
        (dict(padding_mode="mirror"), KeyError, "mirror"),
        (dict(padding_mode="reflect", padding="around"), ValueError, "'same', 'valid' or a size"),
    ],
)
def test_says_what_is_wrong(arguments: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        ConvModule(3, 4, 3, **arguments)


def test_depthwise_separable_is_two_conv_modules() -> None:
    module = DepthwiseSeparableConvModule(
        4, 6, 3, 2, 1, norm_cfg=BN, dw_act_cfg=None, pw_norm_cfg=None, bias=False
    )
    depthwise, pointwise = module.depthwise_conv, module.pointwise_conv
    assert (depthwise.groups, depthwise.stride, pointwise.kernel_size) == (4, (2, 2), (1, 1))
    assert (depthwise.with_activation, pointwise.with_activation) == (False, True)
    assert (depthwise.with_norm, pointwise.with_norm) == (True, False)
    x = image()
    expected = pointwise.conv(copy.deepcopy(depthwise.bn)(depthwise.conv(x))).relu()
    torch.testing.assert_close(module(x), expected)


def test_depthwise_separable_says_what_is_wrong() -> None:
    with pytest.raises(TypeError, match=r"groups .* but got 2; leave it out"):
        DepthwiseSeparableConvModule(4, 6, 3, groups=2)
    with pytest.raises(ValueError, match="'default', but got 'BN'"):
        DepthwiseSeparableConvModule(4, 6, 3, dw_norm_cfg="BN")


def test_is_a_plugin() -> None:
    assert PLUGIN_LAYERS.get("ConvModule") is ConvModule
