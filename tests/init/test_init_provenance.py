"""Loaded weights: who says so, and who leaves them alone."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
import torch
from brickwork_init import (
    constant_init,
    init_report,
    initialize,
    is_loaded,
    may_load,
    record_loaded,
)
from brickwork_init._provenance import HISTORIES
from torch import nn

NINES = {"type": "Constant", "val": 9, "bias": 9, "layer": "*"}


def test_a_recorded_load_is_left_alone_unless_forced() -> None:
    model = nn.Linear(2, 2)
    before = model.weight.detach().clone()
    record_loaded(model, "file.pth", {"weight": "fc.weight"})
    assert is_loaded(model.weight)
    assert may_load(model.weight)
    assert not is_loaded(model.bias)
    initialize(model, NINES)
    assert torch.equal(model.weight, before)
    assert (model.bias == 9).all()
    source = init_report(model)["weight"].source
    assert (source.kind, source.by, source.key) == ("loaded", "file.pth", "fc.weight")
    initialize(model, NINES, force=True)
    assert (model.weight == 9).all()
    assert not is_loaded(model.weight)


def test_the_free_functions_do_as_they_are_told() -> None:
    model = nn.Linear(2, 2)
    record_loaded(model, "file.pth", {"weight": "fc.weight"})
    constant_init(model, 3)
    assert (model.weight == 3).all()


def test_foreign_code_that_loads_is_noticed() -> None:
    state = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).state_dict()
    del state["0.bias"]
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    result = model.load_state_dict(state, strict=False)
    assert result.missing_keys == ["0.bias"]
    assert is_loaded(model[0].weight)
    assert is_loaded(model[1].running_mean)
    assert not is_loaded(model[0].bias)
    initialize(model, NINES)
    assert torch.equal(model[0].weight, state["0.weight"])
    assert (model[0].bias == 9).all()
    assert init_report(model)["0.weight"].source.by == "load_state_dict"


def test_a_load_that_fails_is_no_load() -> None:
    model = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match="Missing key"):
        model.load_state_dict({"weight": torch.ones(2, 2)})
    assert not is_loaded(model.bias)


def test_a_named_load_names_the_one_that_was_noticed() -> None:
    model = nn.Linear(2, 2)
    model.load_state_dict(nn.Linear(2, 2).state_dict())
    record_loaded(model, "file.pth", {"weight": "w"})
    kinds = [(one.kind, one.by) for one in init_report(model)["weight"].history]
    assert kinds == [("default", "constructor of Linear"), ("loaded", "file.pth")]


def test_a_replaced_parameter_is_not_loaded() -> None:
    model = nn.Linear(2, 2)
    record_loaded(model, "file.pth", {"weight": "w"})
    model.weight = nn.Parameter(torch.zeros(2, 2))
    assert not is_loaded(model.weight)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="Linear has no parameter or buffer 'wait'"):
        record_loaded(nn.Linear(2, 2), "file.pth", {"wait": "w"})


def load_names(model: nn.Module) -> None:
    record_loaded(model, "f", {name: name for name, _ in model.named_parameters()})


@pytest.mark.parametrize("write", [load_names, lambda model: initialize(model, NINES)])
def test_nothing_is_kept_of_tensors_that_are_gone(write: Callable[[nn.Module], None]) -> None:
    gc.collect()
    kept = nn.Linear(1, 1)
    record_loaded(kept, "f", {"weight": "w"})
    for _ in range(20):
        model = nn.Sequential(*(nn.Linear(1, 1) for _ in range(1000)))
        write(model)
        assert len(init_report(model)["999.bias"].history) == 2
        del model
    assert len(HISTORIES) < 20_000  # half of what was written
    assert is_loaded(kept.weight)
    assert not is_loaded(kept.bias)


def test_a_second_initialisation_goes_on_and_a_forced_one_starts_over() -> None:
    layer = nn.Linear(1, 1)

    def kinds() -> list[str]:
        return [one.kind for one in init_report(layer)["weight"].history]

    initialize(layer, NINES)
    initialize(layer, NINES)
    assert kinds() == ["default", "rule", "rule"]
    record_loaded(layer, "f", {"weight": "w"})
    initialize(layer, NINES)
    assert kinds() == ["default", "rule", "rule", "loaded"]
    assert is_loaded(layer.weight)
    initialize(layer, NINES, force=True)
    assert kinds() == ["default", "rule"]
    assert not is_loaded(layer.weight)
