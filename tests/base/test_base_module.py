"""BaseModule and the containers: mmcv's documented examples, sessions, user-defined code."""

from __future__ import annotations

import copy
import pickle
import sys
import warnings
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from brickwork_base import BaseModule, ModuleDict, ModuleList, Sequential, init_report
from brickwork_init import (
    INITIALIZERS,
    Initializer,
    current_session,
    is_loaded,
    kaiming_init,
    mark_loaded,
    matched_rules,
)
from brickwork_init.errors import IneffectiveRuleWarning
from torch import nn

from tests.support.python import run_python
from tests.support.tensors import is_filled


class FooConv1d(BaseModule):
    def __init__(self, init_cfg: object = None) -> None:
        super().__init__(init_cfg)
        self.conv1d = nn.Conv1d(4, 1, 4)


class FooConv2d(BaseModule):
    def __init__(self, init_cfg: object = None) -> None:
        super().__init__(init_cfg)
        self.conv2d = nn.Conv2d(3, 1, 3)


CFG1 = dict(type="Constant", layer="Conv1d", val=0.0, bias=1.0)
CFG2 = dict(type="Constant", layer="Conv2d", val=2.0, bias=3.0)
OUTER = dict(type="Constant", layer=["Conv1d", "Conv2d"], val=4.0, bias=5.0)


class Load(Initializer):
    """An initializer that loads a state dict by torch's own method."""

    loads_weights = True

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def __call__(self, module: nn.Module) -> None:
        state = module.state_dict()
        module.load_state_dict({n: torch.full_like(t, self.value) for n, t in state.items()})


# -- the examples of mmcv's documentation ------------------------------------------------------


def test_init_weights_applies_init_cfg() -> None:
    model = FooConv1d(CFG1)
    assert not model.is_init
    model.init_weights()
    assert model.is_init
    assert is_filled(model.conv1d, 0, 1)


@pytest.mark.parametrize("init_cfg", [None, OUTER])
@pytest.mark.parametrize(
    "build",
    [
        lambda first, second, cfg: Sequential(first, second, init_cfg=cfg),
        lambda first, second, cfg: ModuleList([first, second], init_cfg=cfg),
        lambda first, second, cfg: ModuleDict(dict(first=first, second=second), init_cfg=cfg),
        lambda first, second, cfg: ModuleList((first, second), cfg),
    ],
)
def test_inner_rules_win_in_every_container(build, init_cfg: object) -> None:
    first, second = FooConv1d(CFG1), FooConv2d(CFG2)
    model = build(first, second, init_cfg)
    model.init_weights()
    assert is_filled(first.conv1d, 0, 1)
    assert is_filled(second.conv2d, 2, 3)


def test_module_without_rules_gets_the_outer_ones() -> None:
    model = Sequential(FooConv1d(), FooConv2d(CFG2), init_cfg=OUTER)
    model.init_weights()
    assert is_filled(model[0].conv1d, 4, 5)


def test_third_party_init_weights_is_called() -> None:
    class ThirdParty(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(1, 1)

        def init_weights(self) -> None:
            nn.init.constant_(self.fc.weight, 8)

    model = Sequential(ThirdParty())
    model.init_weights()
    assert model[0].fc.weight.item() == 8


# -- sessions ----------------------------------------------------------------------------------


def test_init_weights_that_raises_leaves_no_record_and_can_be_retried() -> None:
    class Broken(FooConv1d):
        fails = True

        def init_weights(self) -> None:
            super().init_weights()
            if self.fails:
                raise OSError("disk")

    model = Sequential(FooConv2d(CFG2), Broken(CFG1))
    attributes = {name: {*vars(module)} for name, module in model.named_modules()}
    with pytest.raises(OSError, match="disk"):
        model.init_weights()
    assert current_session() is None
    assert not any(module.is_init for module in (model, *model))
    assert {name: {*vars(module)} for name, module in model.named_modules()} == attributes
    assert init_report(model)["0.conv2d.weight"].source.kind == "default"
    Broken.fails = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.init_weights()
    assert all(module.is_init for module in (model, *model))
    assert torch.utils._python_dispatch._get_current_dispatch_mode() is None


def test_loaded_values_are_put_back_after_code_that_raises() -> None:
    class Broken(FooConv1d):
        def init_weights(self) -> None:
            nn.init.zeros_(self.conv1d.weight)
            raise OSError("disk")

    model = Sequential(Broken())
    mark_loaded(model, "file.pth", {"0.conv1d.weight": "w"})
    before = model[0].conv1d.weight.clone()
    with pytest.raises(OSError, match="disk"):
        model.init_weights()
    assert torch.equal(model[0].conv1d.weight, before)


def test_loaded_parameter_that_code_replaces_keeps_its_value() -> None:
    class Replaces(FooConv1d):
        def init_weights(self) -> None:
            self.conv1d.weight = nn.Parameter(torch.zeros(1, 4, 4))

    model = Sequential(Replaces())
    mark_loaded(model, "file.pth", {"0.conv1d.weight": "w"})
    before = model[0].conv1d.weight.clone()
    model.init_weights()
    assert torch.equal(model[0].conv1d.weight, before)
    assert is_loaded(model, "0.conv1d.weight")


def test_loaded_weights_that_own_code_adapts_count_as_loaded() -> None:
    class Adapts(FooConv1d):
        def init_weights(self) -> None:
            super().init_weights()
            self.conv1d.weight.data.mul_(2)

    inner = Adapts(dict(type=Load, value=3))
    inner.init_weights()
    assert is_filled(inner.conv1d, 6, 3)
    assert is_loaded(inner, "conv1d.weight")
    assert ", then init_weights of Adapts" in init_report(inner)["conv1d.weight"].source.by
    Sequential(inner, FooConv2d(), init_cfg=OUTER).init_weights()
    assert is_filled(inner.conv1d, 6, 3)


def test_rules_reach_modules_that_own_code_adds() -> None:
    class Grows(BaseModule):
        def __init__(self) -> None:
            super().__init__(CFG1)
            self.first = nn.Conv1d(1, 1, 1)

        def init_weights(self) -> None:
            self.second = FooConv1d(CFG1)
            super().init_weights()

    model = Sequential(Grows(), init_cfg=OUTER)
    model.init_weights()
    assert is_filled(model[0].second.conv1d, 0, 1)
    assert init_report(model)["0.second.conv1d.weight"].source.kind == "rule"


def test_mixin_and_several_levels_of_overriding_run_in_order() -> None:
    order = []

    class Mixin:
        def init_weights(self) -> None:
            order.append("mixin")
            super().init_weights()
            order.append("mixin again")

    class Mid(Mixin, FooConv1d):
        pass

    class Top(Mid):
        def init_weights(self) -> None:
            order.append("top")
            super().init_weights()
            kaiming_init(self.conv1d, bias=2)

    model = Top(CFG1)
    model.init_weights()
    assert order == ["top", "mixin", "mixin again"]
    assert (model.conv1d.bias == 2).all()
    assert str(init_report(model)["conv1d.bias"].source) == "init_weights of Top of the model"


def test_arguments_of_overridden_method_and_force_both_arrive() -> None:
    class Own(FooConv1d):
        def init_weights(self, value: float = 1) -> None:
            nn.init.constant_(self.conv1d.weight, value)

    model = Own()
    model.init_weights(5)
    assert model.is_init
    model.init_weights(value=6, force=True)
    assert (model.conv1d.weight == 6).all()


def test_unknown_argument_raises_and_initializes_nothing() -> None:
    model = FooConv1d(CFG1)
    before = model.conv1d.weight.clone()
    with pytest.raises(TypeError, match=r"takes only 'force', got dry_run.*matched_rules"):
        model.init_weights(dry_run=True)
    assert torch.equal(model.conv1d.weight, before)


def test_base_method_called_by_its_class_applies_the_rules_alone() -> None:
    class Own(FooConv1d):
        def init_weights(self) -> None:
            raise AssertionError

    model = Own(CFG1)
    BaseModule.init_weights(model)
    assert is_filled(model.conv1d, 0, 1)


def test_lazy_modules_can_be_loaded_in_part() -> None:
    model = Sequential(nn.LazyLinear(2), nn.Linear(2, 2))
    state = {"1.weight": torch.ones(2, 2), "1.bias": torch.ones(2)}
    model.load_state_dict(state, strict=False)
    assert is_loaded(model, "1.weight")


# -- load_state_dict ---------------------------------------------------------------------------


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2)


class Loads(BaseModule):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(2))
        self.plain = Plain()
        self.register_buffer("steps", torch.zeros(1), persistent=False)


@pytest.mark.parametrize(
    "wrap", [lambda model: model, nn.Sequential], ids=["at the module", "above it"]
)
def test_load_state_dict_records_own_slots_and_those_of_plain_modules(wrap) -> None:
    model = Loads()
    wrapped = wrap(model)
    state = wrapped.state_dict()
    del state[next(key for key in state if key.endswith("norm.bias"))]
    wrapped.load_state_dict(state, strict=False)
    assert is_loaded(model, "scale")
    assert is_loaded(model, "plain.norm.weight")
    assert is_loaded(model, "plain.norm.running_mean")
    assert not is_loaded(model, "plain.norm.bias")
    assert not is_loaded(model, "steps")
    assert init_report(model)["scale"].source.by == "load_state_dict"


def test_load_state_dict_of_another_shape_records_nothing() -> None:
    model = Loads()
    with pytest.raises(RuntimeError, match="size mismatch for scale"):
        model.load_state_dict({**model.state_dict(), "scale": torch.ones(3)})
    assert not is_loaded(model, "scale")


def test_load_state_dict_of_plain_modules_alone_records_nothing() -> None:
    model = Plain()
    model.load_state_dict(model.state_dict())
    assert not is_loaded(model, "norm.weight")
    assert nn.Module.load_state_dict.__module__ == "torch.nn.modules.module"


# -- matched_rules and rules without effect ----------------------------------------------------


def test_matched_rules_lists_what_each_rule_selects_and_does_nothing() -> None:
    override = dict(name="1", type="Constant", val=1)
    model = Sequential(
        FooConv1d(dict(type="Normal", layer="Conv1d")),
        FooConv2d([CFG2, dict(type=Load, value=1)]),
        init_cfg=[OUTER, dict(type="Constant", val=3, override=override)],
    )
    before = copy.deepcopy(model.state_dict())
    state = torch.get_rng_state()
    rules = matched_rules(model)
    both = ["weight", "bias"]
    assert [(rule.module, rule.names) for rule in rules] == [
        ("", (*(f"0.conv1d.{n}" for n in both), *(f"1.conv2d.{n}" for n in both))),
        ("", tuple(f"1.conv2d.{n}" for n in both)),
        ("0", tuple(f"0.conv1d.{n}" for n in both)),
        ("1", tuple(f"1.conv2d.{n}" for n in both)),
        ("1", ()),
    ]
    assert str(rules[2]) == (
        "NormalInit: mean=0, std=1, bias=0, layer=['Conv1d'] of 0: 0.conv1d.weight, 0.conv1d.bias"
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not model.is_init


class Own(FooConv2d):
    def init_weights(self) -> None:
        super().init_weights()
        kaiming_init(self.conv2d)


def test_rule_that_code_of_children_overwrites_wholly_warns_once() -> None:
    rule = dict(type="Constant", val=1, layer="Conv2d")
    model = Sequential(Own(), Own(), init_cfg=rule)
    with pytest.warns(IneffectiveRuleWarning, match="Sequential has no effect.*of Own") as caught:
        model.init_weights()
    assert len(caught) == 1


@pytest.mark.parametrize(
    "model",
    [
        Sequential(Own(), FooConv2d(), init_cfg=OUTER),
        Sequential(FooConv1d(CFG1), FooConv2d(CFG2), init_cfg=OUTER),
        Own(CFG2),
    ],
    ids=["another layer keeps it", "inner rules", "own code of the same module"],
)
def test_rule_with_an_effect_or_under_inner_rules_does_not_warn(model: nn.Module) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.init_weights()


# -- the rest ----------------------------------------------------------------------------------


def test_config_is_copied_and_shown() -> None:
    cfg = dict(type="Constant", val=1, layer=["Conv1d"])
    model = FooConv1d(cfg)
    cfg["layer"].append("Conv2d")
    assert model.init_cfg["layer"] == ["Conv1d"]
    assert repr(model).endswith("init_cfg={'type': 'Constant', 'val': 1, 'layer': ['Conv1d']}")
    assert "init_cfg" not in repr(FooConv1d())


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_copy_is_initialized_and_keeps_what_was_loaded(duplicate) -> None:
    model = Sequential(FooConv1d(CFG1), FooConv2d())
    model.load_state_dict(model.state_dict())
    again = duplicate(model)
    again.init_weights()
    assert all(torch.equal(again.state_dict()[n], v) for n, v in model.state_dict().items())
    assert duplicate(again).is_init


def test_abstract_base_stays_abstract() -> None:
    class Head(BaseModule):
        @abstractmethod
        def loss(self) -> None: ...

    with pytest.raises(TypeError, match="abstract"):
        Head()


def test_pretrained_comes_through_the_entry_point() -> None:
    assert INITIALIZERS.get("Pretrained").loads_weights


# -- costs -------------------------------------------------------------------------------------


class Block(BaseModule):
    """Two rules of its own for two layers of its own, and perhaps another block inside."""

    def __init__(self, inner: nn.Module | None = None) -> None:
        parts = {"conv": dict(type="Normal"), "norm": dict(type="Constant", val=1)}
        super().__init__([{**rule, "override": dict(name=name)} for name, rule in parts.items()])
        self.conv = nn.Conv2d(1, 1, 1)
        self.norm = nn.BatchNorm2d(1)
        self.inner = inner


def side_by_side(count: int) -> nn.Module:
    return ModuleList([Block() for _ in range(count)])


def nested(count: int) -> nn.Module:
    return Block(nested(count - 1)) if count else Block()


def calls(build: Callable[[int], nn.Module], count: int) -> int:
    """Count the calls of Python functions, which other processes do not disturb."""
    model, events = build(count), Counter[str]()
    sys.setprofile(lambda frame, event, arg: events.update([event]))
    try:
        model.init_weights()
    finally:
        sys.setprofile(None)
    return events["call"]


@pytest.mark.slow
@pytest.mark.parametrize("build", [side_by_side, nested])
def test_cost_of_a_block_does_not_grow_with_the_model(build: Callable[[int], nn.Module]) -> None:
    code = (
        f"from tests.base.test_base_module import calls, {build.__name__} as build\n"
        "calls(build, 1)\n"
        "print(*(calls(build, count) for count in (40, 80)))\n"
    )
    few, many = map(int, run_python("-c", code).split())
    assert many - few <= 40 * 90
