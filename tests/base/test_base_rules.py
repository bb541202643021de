"""The rules of initialization: one test for each row of docs/internals/initialization.md."""

from __future__ import annotations

import pytest
import torch
from brickwork_base import BaseModule, Sequential
from brickwork_init import (
    ConstantInit,
    Initializer,
    constant_init,
    initialize,
    is_loaded,
    mark_loaded,
)
from torch import nn


def constant(value: float, layer: str = "Linear") -> dict[str, object]:
    return dict(type="Constant", val=value, bias=value, layer=layer)


class Load(Initializer):
    """Stands for Pretrained: loads a value into all parameters, or into those named."""

    loads_weights = True

    def __init__(self, value: float, names: list[str] | None = None) -> None:
        super().__init__()
        self.value = value
        self.names = names
        self.calls = 0

    def __call__(self, module: nn.Module) -> None:
        self.calls += 1
        names = self.names or [name for name, _ in module.named_parameters()]
        with torch.no_grad():
            for name in names:
                module.get_parameter(name).fill_(self.value)
        mark_loaded(module, "file.pth", {name: name for name in names})


class Layer(BaseModule):
    """A linear layer with rules."""

    def __init__(self, init_cfg: object = None) -> None:
        super().__init__(init_cfg)
        self.fc = nn.Linear(1, 1)


class OwnCode(Layer):
    """A layer whose own code fills everything with a value after its rules."""

    def __init__(self, value: float, init_cfg: object = None) -> None:
        super().__init__(init_cfg)
        self.value = value
        self.calls = 0

    def init_weights(self) -> None:
        super().init_weights()
        self.calls += 1
        nn.init.constant_(self.fc.weight, self.value)
        self.fc.bias.data = torch.full((1,), float(self.value))


class ThirdParty(nn.Module):
    """A module of another library, with an init_weights of its own."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.fc = nn.Linear(1, 1)
        self.value = value

    def init_weights(self) -> None:
        nn.init.constant_(self.fc.weight, self.value)
        nn.init.constant_(self.fc.bias, self.value)


def values(layer: nn.Module) -> tuple[float, float]:
    return layer.fc.weight.item(), layer.fc.bias.item()


# -- 1: the order ------------------------------------------------------------------------------


def test_1a_own_rules_apply_in_order_then_children_so_inner_rules_win() -> None:
    model = Sequential(Layer(constant(3)), Layer(), init_cfg=[constant(1), constant(2)])
    model.init_weights()
    assert values(model[0]) == (3, 3)
    assert values(model[1]) == (2, 2)


def test_1b_second_call_warns_and_does_nothing() -> None:
    model = Layer(constant(1))
    model.init_weights()
    constant_init(model.fc, 5)
    with pytest.warns(UserWarning, match="init_weights of Layer has been called more than once"):
        model.init_weights()
    assert values(model) == (5, 0)


def test_1c_force_starts_over_and_overwrites_loaded_values() -> None:
    model = Layer(constant(1))
    model.init_weights()
    mark_loaded(model, "file.pth")
    model.init_weights(force=True)
    assert values(model) == (1, 1)
    assert not is_loaded(model, "fc.weight")


def test_1d_overridden_init_weights_runs_whenever_it_is_called() -> None:
    model = OwnCode(2, constant(1))
    model.init_weights()
    with pytest.warns(UserWarning, match="its rules are not applied again"):
        model.init_weights()
    assert model.calls == 2
    assert values(model) == (2, 2)


# -- 2: implicit initialization keeps loaded tensors -------------------------------------------


def test_2a_rules_skip_what_was_loaded_before() -> None:
    model = Sequential(Layer(constant(2)), Layer(), init_cfg=constant(1))
    mark_loaded(model[0], "file.pth", {"fc.weight": "w"})
    mark_loaded(model[1], "file.pth", {"fc.weight": "w"})
    before = model[0].fc.weight.item(), model[1].fc.weight.item()
    model.init_weights()
    assert values(model[0]) == (before[0], 2)
    assert values(model[1]) == (before[1], 1)


def test_2b_child_with_all_parameters_loaded_is_not_called() -> None:
    child = OwnCode(2, constant(1))
    model = Sequential(child, init_cfg=dict(type=Load, value=7))
    model.init_weights()
    assert child.calls == 0
    assert values(child) == (7, 7)
    assert child.is_init


@pytest.mark.parametrize("child", [OwnCode(2), ThirdParty(2)], ids=["BaseModule", "third party"])
def test_2c_child_loaded_in_part_is_called_and_loaded_values_are_put_back(child) -> None:
    model = Sequential(child, init_cfg=dict(type=Load, value=7, names=["0.fc.weight"]))
    model.init_weights()
    assert values(child) == (7, 2)
    assert is_loaded(model, "0.fc.weight")
    assert not is_loaded(model, "0.fc.bias")


def test_2d_what_the_checkpoint_lacks_gets_its_own_rules() -> None:
    load = dict(type=Load, value=7, names=["0.fc.weight"])
    model = Sequential(Layer(constant(1)), Layer(constant(2)), init_cfg=load)
    model.init_weights()
    assert values(model[0]) == (7, 1)
    assert values(model[1]) == (2, 2)


# -- 3: explicit instructions win --------------------------------------------------------------


def test_3a_later_rule_of_the_same_list_overwrites_what_the_first_loaded() -> None:
    model = Layer([dict(type=Load, value=7), dict(type="Constant", val=1, match="fc.weight")])
    model.init_weights()
    assert values(model) == (1, 7)
    assert not is_loaded(model, "fc.weight")


def test_3b_override_of_the_rule_that_loads_overwrites() -> None:
    head = dict(name="1", type="Constant", val=1, bias=1)
    model = Sequential(Layer(), Layer(), init_cfg=dict(type=Load, value=7, override=head))
    model.init_weights()
    assert values(model[0]) == (7, 7)
    assert values(model[1]) == (1, 1)


def test_3c_own_code_after_super_overwrites_what_super_loaded() -> None:
    model = Sequential(OwnCode(2, dict(type=Load, value=7)))
    model.init_weights()
    assert values(model[0]) == (2, 2)


def test_3d_own_code_of_the_module_whose_init_weights_is_called_overwrites() -> None:
    model = OwnCode(2)
    mark_loaded(model, "file.pth")
    model.init_weights()
    assert values(model) == (2, 2)


@pytest.mark.parametrize(
    "fill",
    [
        lambda model: initialize(model, constant(1)),
        lambda model: ConstantInit(val=1, bias=1, layer="Linear")(model),
        lambda model: constant_init(model.fc, 1, bias=1),
    ],
    ids=["initialize", "initializer", "free function"],
)
def test_3e_call_by_hand_overwrites(fill) -> None:
    model = Layer()
    mark_loaded(model, "file.pth")
    fill(model)
    assert values(model) == (1, 1)


# -- 4: checkpoints in checkpoints -------------------------------------------------------------


def test_4a_outer_checkpoint_wins_for_what_it_loads() -> None:
    outer = dict(type=Load, value=7, names=["0.fc.weight"])
    model = Sequential(Layer(dict(type=Load, value=1)), init_cfg=outer)
    model.init_weights()
    assert values(model[0]) == (7, 1)


def test_4b_third_party_backbone_that_loads_in_its_constructor_is_kept_if_marked() -> None:
    marked, unmarked = ThirdParty(3), ThirdParty(3)
    mark_loaded(marked, "theirs.pth")
    before = values(marked)
    model = Sequential(marked, unmarked)
    model.init_weights()
    assert values(marked) == before
    assert values(unmarked) == (3, 3)
