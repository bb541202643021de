"""ConvModule against its layers called one after another."""

import copy
import itertools
import pickle

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
def test_forward_runs_the_layers_in_order(order, activate: bool, norm: bool) -> None:
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


def test_automatic_bias_depends_on_the_norm() -> None:
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
def test_norm_name_is_its_abbreviation(cfg: dict, name: type, abbreviation: str) -> None:
    module = ConvModule(3, 4, 3, norm_cfg=cfg)
    assert module.norm_name == abbreviation
    assert type(module.norm) is name
    assert module.norm is getattr(module, abbreviation)
    assert ConvModule(3, 4, 3).norm is None


def test_attributes_equal_those_of_the_convolution() -> None:
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


def test_attributes_keep_their_values_when_the_convolution_is_replaced() -> None:
    module = ConvModule(4, 6, 3, stride=2)
    module.conv = nn.Identity()
    assert (module.in_channels, module.out_channels, module.stride) == (4, 6, (2, 2))


def test_attributes_can_be_set_without_changing_the_convolution() -> None:
    module = ConvModule(4, 6, 3)
    module.out_channels = 12
    assert module.out_channels == 12
    assert module.conv.out_channels == 6
    assert copy.deepcopy(module).out_channels == 12


def test_configs_are_not_modified() -> None:
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
def test_activations_with_and_without_inplace_are_accepted(kind) -> None:
    module = ConvModule(4, 4, 1, act_cfg=dict(type=kind))
    assert torch.equal(module(image()), module.activate(module.conv(image())))


def test_inplace_of_the_activation_config_has_precedence() -> None:
    assert ConvModule(3, 4, 3).activate.inplace
    assert not ConvModule(3, 4, 3, inplace=False).activate.inplace
    assert not ConvModule(3, 4, 3, act_cfg=dict(type="ReLU", inplace=False)).activate.inplace


@pytest.mark.parametrize(
    ("mode", "torch_mode"),
    [("reflect", "reflect"), ("replicate", "replicate"), ("circular", "circular")],
)
@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("padding", [1, "uneven", "same", "valid"])
def test_explicit_padding_equals_padding_mode_of_torch(mode, torch_mode, dim: int, padding) -> None:
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


def test_forward_uses_replaced_layers_and_skips_disabled_ones() -> None:
    module = ConvModule(4, 4, 3, norm_cfg=BN)
    module.bn = nn.Identity()
    assert torch.equal(module(image()), module.conv(image()).relu())
    module.activate = nn.Tanh()
    assert torch.equal(module(image()), module.conv(image()).tanh())
    module.with_activation = False
    assert torch.equal(module(image()), module.conv(image()))


def test_hooks_of_the_layers_run() -> None:
    module = ConvModule(4, 4, 3, norm_cfg=BN)
    seen = []
    for name in ("conv", "bn", "activate"):
        getattr(module, name).register_forward_hook(lambda *_, name=name: seen.append(name))
    module(image())
    assert seen == ["conv", "bn", "activate"]


def test_weights_have_kaiming_standard_deviation_for_the_activation() -> None:
    torch.manual_seed(0)
    relu = ConvModule(64, 64, 3)
    assert relu.conv.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
    leaky = ConvModule(64, 64, 3, act_cfg=dict(type="LeakyReLU", negative_slope=0.5))
    assert leaky.conv.weight.std().item() == pytest.approx((2 / 1.25 / (64 * 9)) ** 0.5, rel=0.02)
    assert torch.equal(leaky.conv.bias, torch.zeros(64))


def test_convolution_with_init_weights_is_not_initialized() -> None:
    class Ones(nn.Conv2d):
        def init_weights(self) -> None: ...

        def reset_parameters(self) -> None:
            nn.init.ones_(self.weight)
            nn.init.ones_(self.bias)

    with CONV_LAYERS.override(Ones=Ones):
        module = ConvModule(3, 4, 3, conv_cfg=dict(type="Ones"))
    assert torch.equal(module.conv.weight, torch.ones(4, 3, 3, 3))


def test_spectral_norm_divides_by_the_largest_singular_value() -> None:
    module = ConvModule(4, 6, 3, with_spectral_norm=True, act_cfg=None)
    assert {*module.state_dict()} == {
        *("conv.bias", "conv.weight_orig", "conv.weight_u", "conv.weight_v")
    }
    for _ in range(50):  # each forward in training is one step of the power iteration
        module(image())
    module.eval()
    weight = module.conv.weight_orig
    largest = torch.linalg.matrix_norm(weight.flatten(1), ord=2)
    expected = F.conv2d(image(), weight / largest, module.conv.bias)
    torch.testing.assert_close(module(image()), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copying_does_not_change_the_spectral_norm_of_the_original(duplicate) -> None:
    module = ConvModule(4, 6, 3, with_spectral_norm=True, act_cfg=None)
    module(image())
    weight = module.conv.weight
    copied = duplicate(module)
    assert module.conv.weight is weight
    assert weight.grad_fn is not None
    assert copied.conv.weight.grad_fn is None
    weight.sum().backward()
    assert module.conv.weight_orig.grad is not None
    torch.testing.assert_close(copied.eval()(image()), module.eval()(image()))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            dict(order=("conv", "act")),
            ValueError,
            r"order must be a tuple of conv, norm and act",
        ),
        (dict(order=("conv", "act", "act")), ValueError, "conv, norm and act, got"),
        (dict(bias="yes"), ValueError, "'auto', got 'yes'"),
        (dict(norm_cfg="BN"), TypeError, "BN"),
        (dict(act_cfg=["ReLU"]), TypeError, "ReLU"),
        (dict(conv_cfg=dict(type="Conv9d")), KeyError, "Conv9d"),
        (dict(norm_cfg=dict(kind="BN")), KeyError, "type"),
        (dict(act_cfg=dict(type="LeakyReLU", slope=1)), TypeError, "slope"),
        (dict(padding_mode="mirror"), KeyError, "mirror"),
        (dict(padding_mode="reflect", padding="around"), ValueError, "'same', 'valid' or a size"),
    ],
)
def test_invalid_argument_is_refused(arguments: dict, error: type, message: str) -> None:
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


def test_depthwise_separable_refuses_groups_and_unknown_strings() -> None:
    with pytest.raises(TypeError, match=r"groups .* got 2; remove it"):
        DepthwiseSeparableConvModule(4, 6, 3, groups=2)
    with pytest.raises(ValueError, match="'default', got 'BN'"):
        DepthwiseSeparableConvModule(4, 6, 3, dw_norm_cfg="BN")


def test_conv_module_is_registered_as_a_plugin() -> None:
    assert PLUGIN_LAYERS.get("ConvModule") is ConvModule
