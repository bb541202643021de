"""`brickwork.runner.optimizer`: optimizers from configs."""

import pytest
import torch
from brickwork.runner import (
    OPTIMIZER_BUILDERS,
    OPTIMIZERS,
    DefaultOptimizerConstructor,
    build_optimizer,
)
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 2)


def options(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, tuple[float, float]]:
    """Return learning rate and weight decay of each parameter by its name."""
    groups = {id(group["params"][0]): group for group in optimizer.param_groups}
    return {
        name: (groups[id(parameter)]["lr"], groups[id(parameter)]["weight_decay"])
        for name, parameter in model.named_parameters()
        if id(parameter) in groups
    }


def test_every_optimizer_of_torch_is_registered():
    expected = {
        name
        for name, value in vars(torch.optim).items()
        if isinstance(value, type) and issubclass(value, torch.optim.Optimizer)
    }
    assert set(OPTIMIZERS.module_dict) == expected


def test_without_paramwise_options_there_is_one_group():
    model = Net()
    cfg = {"type": "SGD", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}
    optimizer = build_optimizer(model, cfg)
    assert type(optimizer) is torch.optim.SGD
    assert cfg["type"] == "SGD"  # not modified
    (group,) = optimizer.param_groups
    assert [id(p) for p in group["params"]] == [id(p) for p in model.parameters()]
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.1, 0.9, 0.01)


def test_rules_for_biases_norms_and_depthwise_convolutions():
    model = Net()
    model.head.weight.requires_grad_(False)
    paramwise = {
        "bias_lr_mult": 2.0,
        "bias_decay_mult": 3.0,
        "norm_decay_mult": 0.0,
        "dwconv_decay_mult": 5.0,
    }
    cfg = {"type": "AdamW", "lr": 1.0, "weight_decay": 1.0, "paramwise_cfg": paramwise}
    assert options(build_optimizer(model, cfg), model) == {
        "conv.weight": (1, 1),
        "conv.bias": (2, 3),
        "depthwise.weight": (1, 5),
        "depthwise.bias": (2, 5),
        "norm.weight": (1, 0),
        "norm.bias": (1, 0),
        "head.weight": (1, 1),
        "head.bias": (2, 3),
    }


def test_longest_custom_key_applies_and_excludes_the_rules():
    model = Net()
    paramwise = {
        "bias_lr_mult": 7.0,
        "custom_keys": {"conv": {"lr_mult": 2.0}, "conv.bias": {"lr_mult": 3.0, "decay_mult": 0}},
    }
    cfg = {"type": "SGD", "lr": 1.0, "weight_decay": 1.0, "paramwise_cfg": paramwise}
    found = options(build_optimizer(model, cfg), model)
    assert (found["conv.weight"], found["conv.bias"]) == ((2, 1), (3, 0))
    assert found["head.bias"] == (7, 1)


def test_duplicate_parameters_are_bypassed_with_a_warning():
    model = Net()
    model.again = model.conv
    constructor = DefaultOptimizerConstructor(
        {"type": "SGD", "lr": 1.0}, {"bypass_duplicate": True}
    )
    params = []
    constructor.add_params(params, model)  # named_children() gives a shared module once
    assert len(params) == len(list(model.parameters()))
    with pytest.warns(UserWarning, match="other is left out"):
        constructor.add_params(params, model.conv, prefix="other")
    assert len(params) == len(list(model.parameters()))


def test_wrapped_model_is_unwrapped():
    model = Net()
    wrapped = nn.Module()
    wrapped.module = model
    optimizer = build_optimizer(wrapped, {"type": "SGD", "lr": 1.0})
    assert len(optimizer.param_groups[0]["params"]) == len(list(model.parameters()))


def test_own_constructor_is_built_by_name():
    @OPTIMIZER_BUILDERS.register_module()
    class HalfRate(DefaultOptimizerConstructor):
        def add_params(self, params, module, **kwargs):
            params += [{"params": [p], "lr": self.base_lr / 2} for p in module.parameters()]

    cfg = {"type": "SGD", "lr": 1.0, "constructor": "HalfRate", "paramwise_cfg": {"any": 1}}
    optimizer = build_optimizer(Net(), cfg)
    assert {group["lr"] for group in optimizer.param_groups} == {0.5}
    del OPTIMIZER_BUILDERS.module_dict["HalfRate"]


@pytest.mark.parametrize(
    ("optimizer_cfg", "paramwise_cfg", "error", "message"),
    [
        ([], None, TypeError, "optimizer_cfg must be a dict"),
        ({}, [], TypeError, "paramwise_cfg must be None or a dict"),
        ({}, {"custom_keys": []}, TypeError, "custom_keys must be a dict"),
        ({"lr": 1}, {"norm_decay_mult": 0}, ValueError, r"\(norm_decay_mult\).* no weight_decay"),
        ({"lr": 1}, {"custom_keys": {"a": {"decay_mult": 0}}}, ValueError, "no weight_decay"),
    ],
)
def test_wrong_options_are_refused(optimizer_cfg, paramwise_cfg, error, message):
    with pytest.raises(error, match=message):
        DefaultOptimizerConstructor(optimizer_cfg, paramwise_cfg)
