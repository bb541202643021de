"""`initialize`: the examples of mmcv's documentation, errors, additions."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from brickwork_init import INITIALIZERS, ConstantInit, errors, initialize
from torch import Tensor, nn


class FooNet(nn.Module):
    def __init__(self, cls: nn.Module | None = None) -> None:
        super().__init__()
        self.feat = nn.Conv1d(3, 1, 3)
        self.reg = nn.Conv2d(3, 3, 3)
        self.cls = cls or nn.Linear(1, 2)


def is_all(module: nn.Module, weight: float, bias: float) -> bool:
    return bool((module.weight == weight).all() and (module.bias == bias).all())


def test_one_rule_initializes_several_classes() -> None:
    model = FooNet()
    initialize(model, dict(type="Constant", layer=["Conv1d", "Conv2d", "Linear"], val=1))
    assert is_all(model.feat, 1, 0)
    assert is_all(model.reg, 1, 0)
    assert is_all(model.cls, 1, 0)


def test_list_of_rules_gives_each_layer_its_own() -> None:
    model = FooNet()
    initialize(
        model,
        [
            dict(type="Constant", layer="Conv1d", val=1),
            dict(type="Constant", layer="Conv2d", val=2),
            dict(type="Constant", layer="Linear", val=3),
        ],
    )
    assert is_all(model.feat, 1, 0)
    assert is_all(model.reg, 2, 0)
    assert is_all(model.cls, 3, 0)


def test_override_with_its_own_type() -> None:
    model = FooNet(nn.Sequential(nn.Conv1d(3, 1, 3), nn.Linear(1, 2)))
    linear = copy.deepcopy(model.cls[1].state_dict())
    cfg = dict(
        type="Constant",
        layer=["Conv1d", "Conv2d"],
        val=1,
        bias=2,
        override=dict(type="Constant", name="reg", val=3, bias=4),
    )
    before = copy.deepcopy(cfg)
    initialize(model, cfg)
    assert cfg == before
    assert is_all(model.feat, 1, 2)
    assert is_all(model.cls[0], 1, 2)
    assert is_all(model.reg, 3, 4)
    assert torch.equal(model.cls[1].weight, linear["weight"])


def test_override_with_only_a_name_uses_the_arguments_of_the_rule() -> None:
    model = FooNet()
    feat = model.feat.weight.detach().clone()
    initialize(model, dict(type="Constant", val=1, bias=2, override=dict(name="reg")))
    assert is_all(model.reg, 1, 2)
    assert torch.equal(model.feat.weight, feat)


def test_overrides_initialize_whole_parts_by_dotted_path() -> None:
    model = FooNet(nn.Sequential(nn.Conv1d(3, 1, 3), nn.Linear(1, 2)))
    rule = dict(
        type="Constant",
        val=1,
        override=[
            dict(name="cls"),
            dict(name="cls.1", type="Constant", val=5, layer="Conv1d"),  # the part, all of it
        ],
    )
    initialize(model, rule)
    assert is_all(model.cls[0], 1, 0)
    assert is_all(model.cls[1], 5, 0)


def test_rule_without_layer_and_override_changes_nothing() -> None:
    model = FooNet()
    before = copy.deepcopy(model.state_dict())
    initialize(model, dict(type="Constant", val=1, bias=2))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_layer_matches_names_of_direct_bases_only() -> None:
    class Mine(nn.Conv2d): ...

    class Yours(Mine): ...

    model = nn.Sequential(Mine(1, 1, 1), Yours(1, 1, 1), nn.BatchNorm2d(1))
    initialize(model, dict(type="Constant", val=7, layer=["Conv2d", "_BatchNorm"]))
    assert is_all(model[0], 7, 0)
    assert not is_all(model[1], 7, 0)
    assert is_all(model[2], 7, 0)


def test_bias_prob_sets_the_bias() -> None:
    layer = nn.Linear(2, 2)
    initialize(layer, dict(type="Normal", layer="Linear", bias_prob=0.01))
    assert torch.sigmoid(layer.bias).tolist() == pytest.approx([0.01, 0.01])


def test_shared_module_draws_twice() -> None:
    shared = nn.Linear(2, 2)
    model = nn.Sequential(nn.Sequential(shared), nn.Sequential(shared))
    torch.manual_seed(0)
    initialize(model, dict(type="Normal", layer="Linear"))
    torch.manual_seed(0)
    torch.empty(2, 2).normal_()
    assert torch.equal(shared.weight, torch.empty(2, 2).normal_())


@pytest.mark.parametrize(
    ("cfg", "error", "message"),
    [
        ("Constant", TypeError, "init_cfg must be a dict or a list of dicts, got 'Constant'"),
        (["Constant"], TypeError, "a rule of an init_cfg must be a dict, got 'Constant'"),
        (
            dict(type="Constant", val=1, layer="Conv1d", override="reg"),
            TypeError,
            "override must be a dict or a list of dicts, got",
        ),
        (
            dict(type="Constant", val=1, layer="Conv1d", override=["reg"]),
            TypeError,
            "override must be a dict or a list of dicts, got",
        ),
        (
            dict(type="Constant", val=1, layer="Conv1d", override=dict(type="Constant", val=3)),
            ValueError,
            "override must have the key 'name', got",
        ),
        (
            dict(type="Constant", val=1, layer="Conv1d", override=dict(name="reg", val=3)),
            ValueError,
            "override must have the key 'type', got",
        ),
        (
            dict(type="Constant", val=1, layer="Conv1d", override=dict(name="rex")),
            RuntimeError,
            "FooNet has no part 'rex'.*did you mean 'reg'",
        ),
        (
            dict(type="Constant", val=1, layer="Conv1d", override=dict(name="reg.weight")),
            RuntimeError,
            "must be that of a module, got 'reg.weight'.*match='reg.weight'",
        ),
        (dict(type="Constant", val=1, layer=3), TypeError, "layer must be a str, a class"),
        (dict(type="Constant", val=1, match=3), TypeError, "match must be a str"),
        (dict(type="Constant", val=1, where=3), TypeError, "where must be a function"),
        (dict(type="Constant", val=1, bias="1"), TypeError, "bias must be a number"),
        (dict(type="Constant", val=1, bias_prob=1), TypeError, "bias_prob must be a float, got 1"),
        (dict(type="Constant", val=1, bias_prob=2.0), ValueError, "between 0 and 1"),
        (dict(type="Xavier", distribution="x"), ValueError, "'normal' or 'uniform'"),
        (dict(type="Kaiming", distribution="x"), ValueError, "'normal' or 'uniform'"),
    ],
)
def test_invalid_config_raises_before_anything_is_written(
    cfg: object, error: type[Exception], message: str
) -> None:
    model = FooNet()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(error, match=message) as caught:
        initialize(model, cfg)
    assert isinstance(caught.value, errors.InitError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (type(caught.value), str(caught.value))
    if error is not RuntimeError:  # which is raised after the rule itself
        assert all(torch.equal(before[name], one) for name, one in model.state_dict().items())


def test_unknown_type_error_suggests_a_name() -> None:
    with pytest.raises(KeyError, match="Kaiming"):
        initialize(nn.Linear(1, 1), dict(type="Kaimin", layer="Linear"))


def test_error_of_a_fill_names_rule_and_module() -> None:
    with pytest.raises(ValueError, match="fan-in and fan-out need") as caught:
        initialize(nn.BatchNorm2d(2), dict(type="Kaiming", layer="BatchNorm2d"))
    assert "while KaimingInit" in caught.value.__notes__[0]
    assert "'weight' of BatchNorm2d(2" in caught.value.__notes__[0]


def test_initializer_with_its_own_call_as_in_mmcv() -> None:
    @INITIALIZERS.register_module(name="TestOwn", force=True)
    class Own(ConstantInit):
        def __call__(self, module: nn.Module) -> None:
            def init(one: nn.Module) -> None:
                if self.wholemodule or type(one).__name__ in self.layer:
                    nn.init.constant_(one.weight, self.val)

            module.apply(init)

    try:
        model = nn.Linear(1, 1)
        initialize(model, dict(type="TestOwn", val=4, layer="Linear"))
        assert model.weight.item() == 4
        model = FooNet()
        initialize(model, dict(type="TestOwn", val=4, override=dict(name="reg")))
        assert (model.reg.weight == 4).all()
    finally:
        INITIALIZERS.module_dict.pop("TestOwn")


def test_initializer_that_defines_only_fill() -> None:
    class Ramp(ConstantInit):
        def fill(self, weight: Tensor) -> object:
            return weight.copy_(torch.arange(weight.numel()).view_as(weight) * self.val)

    layer = nn.Linear(2, 1)
    initialize(layer, dict(type=Ramp, val=3, layer="Linear", bias=1))
    assert layer.weight.tolist() == [[0, 3]]
    assert layer.bias.tolist() == [1]
