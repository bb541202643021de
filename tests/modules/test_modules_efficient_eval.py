"""Batch norms folded into convolutions in each forward pass: outputs and gradients."""

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from brickwork_modules import (
    ConvModule,
    efficient_conv_bn_eval_forward,
    find_conv_bn,
    turn_on_efficient_conv_bn_eval,
)
from torch import Tensor, nn

PLAIN: dict[str, Callable[[], tuple[nn.Module, nn.Module, Tensor]]] = {
    "1d": lambda: (nn.Conv1d(3, 4, 3, bias=False), nn.BatchNorm1d(4), torch.randn(2, 3, 8)),
    "2d": lambda: (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), torch.randn(2, 3, 8, 8)),
    "grouped": lambda: (
        nn.Conv2d(4, 4, 3, 2, 1, groups=2, bias=False),
        nn.BatchNorm2d(4, affine=False),
        torch.randn(2, 4, 8, 8),
    ),
    "circular": lambda: (
        nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"),
        nn.BatchNorm2d(4),
        torch.randn(2, 3, 8, 8),
    ),
    "3d": lambda: (nn.Conv3d(3, 4, 3), nn.BatchNorm3d(4), torch.randn(2, 3, 4, 5, 6)),
}


def trained_norm(bn: nn.Module) -> nn.Module:
    """Build a batch norm with statistics as after training, in eval mode."""
    with torch.no_grad():
        bn.running_mean.normal_()
        bn.running_var.uniform_(0.5, 2)
        for parameter in bn.parameters():
            parameter.normal_()
    return bn.eval()


@pytest.mark.parametrize("case", PLAIN)
def test_folded_forward_equals_the_layers_one_after_another(case: str) -> None:
    torch.manual_seed(0)
    conv, bn, x = PLAIN[case]()
    trained_norm(bn)
    expected = bn(conv(x))
    actual = efficient_conv_bn_eval_forward(bn, conv, x)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)

    parameters = [*conv.parameters(), *bn.parameters()]
    for ours, theirs in zip(
        torch.autograd.grad(actual.square().sum(), parameters),
        torch.autograd.grad(expected.square().sum(), parameters),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)


def test_batch_norm_without_statistics_is_refused() -> None:
    bn = nn.BatchNorm2d(4, track_running_stats=False)
    with pytest.raises(ValueError, match="track_running_stats=True"):
        efficient_conv_bn_eval_forward(bn, nn.Conv2d(3, 4, 3), torch.ones(1, 3, 8, 8))


def test_conv_module_calls_one_layer_in_eval_mode_and_two_in_training() -> None:
    module = ConvModule(3, 4, 3, norm_cfg=dict(type="BN"), efficient_conv_bn_eval=True)
    calls = []
    module.bn.register_forward_hook(lambda *_: calls.append("bn"))
    x = torch.randn(2, 3, 8, 8)
    module.train()(x)
    assert calls == ["bn"]
    trained_norm(module.bn)
    module.eval()(x)
    assert calls == ["bn"]
    module.turn_on_efficient_conv_bn_eval(False)
    module(x)
    assert calls == ["bn", "bn"]


def test_conv_module_skips_the_norm_on_request() -> None:
    module = ConvModule(3, 4, 3, norm_cfg=dict(type="BN"), efficient_conv_bn_eval=True).eval()
    trained_norm(module.bn)
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(module(x, norm=False), module.conv(x).relu())


@pytest.mark.parametrize(
    "options",
    [
        dict(norm_cfg=dict(type="GN", num_groups=2)),
        dict(norm_cfg=dict(type="BN", track_running_stats=False)),
        dict(norm_cfg=dict(type="BN"), order=("norm", "act", "conv")),
        dict(norm_cfg=dict(type="BN"), order=("conv", "act", "norm")),
        dict(norm_cfg=dict(type="BN"), conv_cfg=dict(type="ConvWS")),
        dict(norm_cfg=dict(type="BN"), conv_cfg=dict(type="deconv")),
        dict(norm_cfg=dict(type="BN"), with_spectral_norm=True),
        {},
    ],
)
def test_conv_module_that_cannot_fold_runs_its_layers(options: dict) -> None:
    torch.manual_seed(0)
    module = ConvModule(4, 4, 3, **options, efficient_conv_bn_eval=True).eval()
    torch.manual_seed(0)
    plain = ConvModule(4, 4, 3, **options).eval()
    assert module.efficient_conv_bn_eval_forward is None
    x = torch.randn(2, 4, 8, 8)
    assert torch.equal(module(x), plain(x))


def test_conv_module_with_a_replaced_norm_runs_it() -> None:
    module = ConvModule(3, 4, 3, norm_cfg=dict(type="BN"), efficient_conv_bn_eval=True).eval()
    module.bn = nn.Identity()
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(module(x), module.conv(x).relu())


def test_create_from_conv_bn_keeps_layers_attributes_and_random_state() -> None:
    conv, bn = nn.Conv2d(3, 4, 3, 2, bias=False), trained_norm(nn.BatchNorm2d(4))
    module = ConvModule.create_from_conv_bn(conv, bn)
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(module(x), bn(conv(x)), rtol=1e-5, atol=1e-5)
    assert module.efficient_conv_bn_eval_forward is not None
    assert (module.in_channels, module.stride, module.with_activation) == (3, (2, 2), False)
    assert [*module.state_dict()][:2] == ["conv.weight", "bn.weight"]


class Block(nn.Module):
    """Layers without a ConvModule."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.more = ConvModule(4, 4, 1, norm_cfg=dict(type="BN"))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.more(self.bn1(self.conv1(x)).relu())


def test_turn_on_for_a_whole_model() -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(Block(), Block())
    for name, module in plain.named_modules():
        if "bn" in name:
            trained_norm(module)
    plain.eval()
    model = copy.deepcopy(plain)
    turn_on_efficient_conv_bn_eval(model)
    assert [*model.state_dict()] == [*plain.state_dict()]
    assert model[0].more.efficient_conv_bn_eval_forward is not None

    x = torch.randn(2, 4, 6, 6)
    for variant in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(variant(x), plain(x), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(model.train()(x), plain.train()(x))
    torch.testing.assert_close(model[0].bn1.running_mean, plain[0].bn1.running_mean)

    copied = copy.deepcopy(model.eval())  # a copy folds the batch norm of the copy
    plain.eval()
    nn.init.zeros_(copied[0].bn1.weight)
    torch.testing.assert_close(model(x), plain(x), rtol=1e-5, atol=1e-5)

    reasons = {row.bn: row.reason for row in find_conv_bn(model)}
    assert reasons["0.bn1"] == "has a forward attribute"


def test_turn_on_for_a_submodule() -> None:
    model = nn.Sequential(Block(), Block())
    turn_on_efficient_conv_bn_eval(model, ["1.more"])
    assert [block.more.efficient_conv_bn_eval_forward is not None for block in model] == [
        False,
        True,
    ]
    with pytest.raises(AttributeError, match="nowhere"):
        turn_on_efficient_conv_bn_eval(model, "nowhere")
