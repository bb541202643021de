"""The containers: mmcv's documented examples, and what each init_weights owes the others."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from brickwork_base import BaseModule, ModuleDict, ModuleList, Sequential, init_report
from brickwork_init import (
    INITIALIZERS,
    Initializer,
    current_run,
    is_loaded,
    kaiming_init,
    unwatched,
)
from torch import nn


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
    """Stands for a checkpoint: fills what there is of it and says so."""

    loads_weights = True
    calls = 0

    def __init__(self, value: float, names: object = None) -> None:
        super().__init__()
        self.value = value
        self.names = names

    def __call__(self, module: nn.Module) -> None:
        type(self).calls += 1
        state = {
            name: torch.full_like(one, self.value)
            for name, one in module.state_dict().items()
            if self.names is None or name in self.names
        }
        module.load_state_dict(state, strict=False)


def is_all(module: nn.Module, weight: float, bias: float) -> bool:
    return bool((module.weight == weight).all() and (module.bias == bias).all())


# -- the examples of the documentation ---------------------------------------------------------


def test_base_module() -> None:
    model = FooConv1d(CFG1)
    assert not model.is_init
    model.init_weights()
    assert model.is_init
    assert is_all(model.conv1d, 0, 1)


@pytest.mark.parametrize("init_cfg", [None, OUTER])
@pytest.mark.parametrize(
    "build",
    [
        lambda one, two, cfg: Sequential(one, two, init_cfg=cfg),
        lambda one, two, cfg: ModuleList([one, two], init_cfg=cfg),
        lambda one, two, cfg: ModuleDict(dict(one=one, two=two), init_cfg=cfg),
        lambda one, two, cfg: ModuleList((one, two), cfg),
    ],
)
def test_containers_and_inner_rules_have_the_last_word(build: object, init_cfg: object) -> None:
    one, two = FooConv1d(CFG1), FooConv2d(CFG2)
    model = build(one, two, init_cfg)
    model.init_weights()
    assert is_all(one.conv1d, 0, 1)
    assert is_all(two.conv2d, 2, 3)


def test_an_inner_module_without_rules_has_the_outer_ones() -> None:
    model = Sequential(FooConv1d(), FooConv2d(CFG2), init_cfg=OUTER)
    model.init_weights()
    assert is_all(model[0].conv1d, 4, 5)


def test_a_module_with_an_init_weights_of_another_kind_takes_part() -> None:
    class Other(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(1, 1)

        def init_weights(self) -> None:
            nn.init.constant_(self.fc.weight, 8)

    model = Sequential(Other())
    model.init_weights()
    assert model[0].fc.weight.item() == 8


# -- once, again, by force ---------------------------------------------------------------------


def test_a_second_call_changes_nothing_and_says_so() -> None:
    model = Sequential(FooConv1d(dict(type="Normal", layer="Conv1d")))
    model.init_weights()
    before = model[0].conv1d.weight.clone()
    with pytest.warns(UserWarning, match="init_weights of Sequential has been called more than"):
        model.init_weights()
    assert torch.equal(model[0].conv1d.weight, before)
    model.init_weights(force=True)
    assert not torch.equal(model[0].conv1d.weight, before)


def test_a_second_call_of_overridden_code_changes_nothing_either() -> None:
    class Own(FooConv1d):
        def init_weights(self) -> None:
            nn.init.normal_(self.conv1d.weight)

    model = Own()
    model.init_weights()
    before = model.conv1d.weight.clone()
    with pytest.warns(UserWarning, match="more than once"):
        model.init_weights()
    assert torch.equal(model.conv1d.weight, before)
    model.init_weights(force=True)
    assert not torch.equal(model.conv1d.weight, before)


def test_dry_run_shows_and_does_nothing() -> None:
    class Own(FooConv2d):
        def init_weights(self) -> None:
            super().init_weights()
            nn.init.normal_(self.conv2d.bias)
            self.conv2d.bias.data = torch.ones(1)

    model = Sequential(
        FooConv1d(dict(type="Normal", layer="Conv1d")),
        Own(CFG2),
        FooConv1d(dict(type=Load, value=1)),
    )
    before = copy.deepcopy(model.state_dict())
    state = torch.get_rng_state()
    report = model.init_weights(dry_run=True)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], one) for name, one in model.state_dict().items())
    assert not model.is_init
    assert not model[0].is_init
    assert report["0.conv1d.weight"].source.kind == "rule"
    assert [one.kind for one in report["1.conv2d.bias"].history] == ["default", "rule", "code"]
    assert init_report(model)["0.conv1d.weight"].source.kind == "default"
    model.init_weights()
    assert model.is_init


def test_an_init_weights_that_raises_leaves_nothing_behind() -> None:
    class Broken(FooConv1d):
        fails = True

        def init_weights(self) -> None:
            super().init_weights()
            if self.fails:
                raise OSError("disk")

    model = Sequential(FooConv2d(CFG2), Broken(CFG1))
    attributes = {name: {*vars(one)} for name, one in model.named_modules()}
    with pytest.raises(OSError, match="disk"):
        model.init_weights()
    assert current_run() is None
    assert not any(one.is_init for one in (model, *model))
    assert {name: {*vars(one)} for name, one in model.named_modules()} == attributes
    assert init_report(model)["0.conv2d.weight"].source.kind == "default"
    Broken.fails = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.init_weights()
    assert all(one.is_init for one in (model, *model))
    assert torch.utils._python_dispatch._get_current_dispatch_mode() is None


def test_nothing_is_left_on_the_modules() -> None:
    model = Sequential(FooConv1d(CFG1))
    before = {*vars(model[0].conv1d)}
    model.init_weights()
    assert {*vars(model[0].conv1d)} == before


# -- loaded weights ----------------------------------------------------------------------------


def test_a_checkpoint_is_not_overwritten_by_inner_rules_and_what_it_lacks_gets_its_own() -> None:
    names = ["0.conv1d.weight", "0.conv1d.bias", "1.conv2d.weight"]
    model = Sequential(
        FooConv1d(CFG1), FooConv2d(CFG2), init_cfg=dict(type=Load, value=7, names=names)
    )
    model.init_weights()
    assert is_all(model[0].conv1d, 7, 7)
    assert is_all(model[1].conv2d, 7, 3)
    assert model.is_init
    assert model[0].is_init


def test_a_checkpoint_of_an_inner_module_survives_outer_rules() -> None:
    inner = FooConv1d(dict(type=Load, value=7))
    inner.init_weights()
    model = Sequential(inner, FooConv2d(), init_cfg=OUTER)
    with pytest.warns(UserWarning, match="more than once"):
        model.init_weights()
    assert is_all(inner.conv1d, 7, 7)
    assert is_all(model[1].conv2d, 4, 5)
    model = Sequential(FooConv1d(dict(type=Load, value=7)), init_cfg=OUTER)
    model.init_weights()
    assert is_all(model[0].conv1d, 7, 7)


def test_rules_after_a_checkpoint_in_one_list_fill_what_it_lacks() -> None:
    model = FooConv1d([dict(type=Load, value=7, names=["conv1d.weight"]), CFG1])
    model.init_weights()
    assert is_all(model.conv1d, 7, 1)


def test_the_outer_checkpoint_wins_over_inner_ones() -> None:
    class Inner(Load):
        calls = 0

    covered = FooConv1d(dict(type=Inner, value=1))
    half = FooConv2d(dict(type=Inner, value=2))
    names = ["0.conv1d.weight", "0.conv1d.bias", "1.conv2d.weight"]
    model = Sequential(covered, half, init_cfg=dict(type=Load, value=7, names=names))
    model.init_weights()
    assert is_all(covered.conv1d, 7, 7)
    assert is_all(half.conv2d, 7, 2)
    assert Inner.calls == 1  # the covered one did not even look for its file


class Timm(nn.Module):
    """A backbone of another library that loads its weights itself."""

    def __init__(self, head: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        self.head = nn.Linear(2, 2)
        state = {"conv.weight": torch.ones(2, 3, 1, 1), "conv.bias": torch.ones(2)}
        if head:
            state |= {"head.weight": torch.ones(2, 2), "head.bias": torch.ones(2)}
        self.load_state_dict(state, strict=head)

    def init_weights(self) -> None:
        nn.init.zeros_(self.conv.weight)
        self.conv.bias.data = torch.zeros(2)
        nn.init.zeros_(self.head.weight)


@pytest.mark.parametrize("head", [False, True])
def test_a_foreign_backbone_keeps_what_it_loaded(head: bool) -> None:
    model = Sequential(Timm(head), FooConv2d(), init_cfg=OUTER)
    model.init_weights()
    assert is_all(model[0].conv, 1, 1)
    assert is_all(model[1].conv2d, 4, 5)
    assert bool((model[0].head.weight == 1).all()) is head
    assert bool((model[0].head.weight == 0).all()) is not head
    model.init_weights(force=True)
    assert is_all(model[0].conv, 0, 0)


def test_ones_own_code_may_change_what_it_loaded_itself() -> None:
    class Own(FooConv1d):
        def init_weights(self) -> None:
            super().init_weights()
            self.conv1d.weight.data.mul_(2)

    model = Sequential(Own(dict(type=Load, value=3)))
    model.init_weights()
    assert is_all(model[0].conv1d, 6, 3)
    assert is_loaded(model[0].conv1d.weight)
    outer = Sequential(Own(), init_cfg=dict(type=Load, value=3))
    outer.init_weights()
    assert is_all(outer[0].conv1d, 3, 3)


# -- the rest ----------------------------------------------------------------------------------


def test_the_config_is_copied_and_shown() -> None:
    cfg = dict(type="Constant", val=1, layer=["Conv1d"])
    model = FooConv1d(cfg)
    cfg["layer"].append("Conv2d")
    assert model.init_cfg["layer"] == ["Conv1d"]
    assert repr(model).endswith("init_cfg={'type': 'Constant', 'val': 1, 'layer': ['Conv1d']}")
    assert "init_cfg" not in repr(FooConv1d())


def test_copies_and_pickles_are_whole() -> None:
    model = Sequential(FooConv1d(CFG1))
    model.init_weights()
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert again.is_init
        assert is_all(again[0].conv1d, 0, 1)


def test_a_mixin_and_several_levels_of_overriding() -> None:
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
    history = init_report(model)["conv1d.bias"].history
    assert [one.kind for one in history] == ["default", "rule", "code"]
    assert "Top" in str(history[-1])


def test_options_and_arguments_of_overridden_methods_both_arrive() -> None:
    class Own(FooConv1d):
        def init_weights(self, value: float = 1) -> None:
            nn.init.constant_(self.conv1d.weight, value)

    model = Own()
    model.init_weights(5)
    model.init_weights(value=6, force=True)
    assert (model.conv1d.weight == 6).all()


def test_unwatched_code_is_seen_through_the_free_functions() -> None:
    class Quick(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 1)

        @unwatched
        def init_weights(self) -> None:
            kaiming_init(self.conv)

    model = Sequential(Quick())
    model.init_weights()
    assert init_report(model)["0.conv.weight"].source.kind == "code"


def test_rules_reach_modules_added_while_initialising() -> None:
    class Grows(BaseModule):
        def __init__(self) -> None:
            super().__init__(CFG1)
            self.first = nn.Conv1d(1, 1, 1)

        def init_weights(self) -> None:
            self.second = FooConv1d(CFG1)
            super().init_weights()

    model = Sequential(Grows(), init_cfg=OUTER)
    model.init_weights()
    assert is_all(model[0].second.conv1d, 0, 1)
    assert init_report(model)["0.second.conv1d.weight"].source.kind == "rule"


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


def in_each_other(count: int) -> nn.Module:
    return Block(in_each_other(count - 1)) if count else Block()


def calls(build: Callable[[int], nn.Module], count: int) -> int:
    """Count the calls of Python functions, which machines do not disturb."""
    model, events = build(count), Counter[str]()
    sys.setprofile(lambda frame, event, arg: events.update([event]))
    try:
        model.init_weights()
    finally:
        sys.setprofile(None)
    return events["call"]


@pytest.mark.parametrize("build", [side_by_side, in_each_other])
def test_the_cost_of_a_block_does_not_grow_with_the_model(
    build: Callable[[int], nn.Module],
) -> None:
    # In a process of its own: what other tests have loaded, and left to be swept, costs calls.
    command = [sys.executable, __file__, build.__name__]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    few, many = map(int, done.stdout.split())
    assert many - few <= 40 * 90


def test_an_abstract_base_stays_abstract() -> None:
    from abc import abstractmethod

    class Head(BaseModule):
        @abstractmethod
        def loss(self) -> None: ...

    with pytest.raises(TypeError, match="abstract"):
        Head()


def test_pretrained_comes_through_the_entry_point() -> None:
    assert INITIALIZERS.get("Pretrained").loads_weights


if __name__ == "__main__":
    calls(globals()[sys.argv[1]], 1)
    print(*(calls(globals()[sys.argv[1]], count) for count in (40, 80)))
