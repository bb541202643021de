"""Provenance records: plain data in each module, which survives whatever happens to the module."""

from __future__ import annotations

import copy
import gc
import pickle
import warnings
from pathlib import Path

import pytest
import torch
from brickwork_base import BaseModule, Sequential
from brickwork_init import (
    constant_init,
    init_report,
    initialize,
    is_loaded,
    mark_loaded,
)
from torch import nn
from torch.nn.utils import parametrizations
from torch.testing._internal.two_tensor import TwoTensor

from tests.support.python import run_python

NINES = {"type": "Constant", "val": 9, "bias": 9, "layer": "*"}


def kind(model: nn.Module, name: str) -> str:
    return init_report(model)[name].source.kind


# -- who marks, who asks -----------------------------------------------------------------------


def test_mark_loaded_records_source_and_key() -> None:
    model = nn.Linear(2, 2)
    mark_loaded(model, "file.pth", {"weight": "fc.weight"})
    assert is_loaded(model, "weight")
    assert not is_loaded(model, "bias")
    source = init_report(model)["weight"].source
    assert (source.kind, source.by, source.key) == ("loaded", "file.pth", "fc.weight")
    assert str(source) == "file.pth [fc.weight]"


def test_mark_loaded_without_keys_marks_all_parameters_and_buffers() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    mark_loaded(model, "file.pth")
    assert {origin.source.kind for origin in init_report(model)} == {"loaded"}
    assert init_report(model)["1.running_mean"].source.key == "1.running_mean"


@pytest.mark.parametrize("name", ["wait", "weight.x", "0.weight"])
def test_unknown_name_raises_key_error(name: str) -> None:
    model = nn.Linear(2, 2)
    with pytest.raises(KeyError, match=f"Linear has no .*{name.split('.')[0]}"):
        mark_loaded(model, "file.pth", {name: "w"})
    with pytest.raises(KeyError, match=f"Linear has no .*{name.split('.')[0]}"):
        is_loaded(model, name)


def test_record_consists_of_builtin_types() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    initialize(model, NINES)
    mark_loaded(model, "f", {"0.bias": "b"})
    record = vars(model[0])["_brickwork_sources"]
    rule = "ConstantInit: val=9, bias=9, layer=['*']"
    assert record == {
        "weight": ((2, 2), "rule", rule, 1),
        "bias": ((2,), "loaded", "f", "b"),
    }
    assert pickle.dumps(record).find(b"brickwork") == -1


def test_tied_tensors_are_marked_in_every_slot() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    mark_loaded(model, "f", {"0.weight": "w"})
    assert is_loaded(model, "0.weight")
    assert is_loaded(model[1], "weight")


def test_new_parameter_of_another_shape_has_no_record() -> None:
    model = nn.Linear(2, 2)
    mark_loaded(model, "file.pth", {"weight": "w"})
    model.weight = nn.Parameter(torch.zeros(3, 2))
    assert not is_loaded(model, "weight")
    assert kind(model, "weight") == "default"


def test_record_names_what_wrote_last() -> None:
    layer = nn.Linear(1, 1)
    initialize(layer, [NINES, {**NINES, "val": 8}])
    assert "val=8" in init_report(layer)["weight"].source.by
    mark_loaded(layer, "f", {"weight": "w"})
    assert kind(layer, "weight") == "loaded"
    initialize(layer, NINES)
    assert kind(layer, "weight") == "rule"


def test_free_function_outside_of_a_session_leaves_records_alone() -> None:
    model = nn.Linear(2, 2)
    mark_loaded(model, "file.pth", {"weight": "fc.weight"})
    constant_init(model, 3)
    assert (model.weight == 3).all()
    assert is_loaded(model, "weight")


# -- what happens to the module ----------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        copy.deepcopy,
        lambda model: pickle.loads(pickle.dumps(model)),
        lambda model: model.to(torch.bfloat16),
        lambda model: model.to("meta"),
        lambda model: model.double(),
    ],
    ids=["deepcopy", "pickle", "bfloat16", "meta", "double"],
)
@pytest.mark.parametrize("swap", [False, True])
def test_record_survives(change, swap: bool) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    mark_loaded(model, "f", {"0.weight": "w", "1.running_mean": "m"})
    torch.__future__.set_swap_module_params_on_conversion(swap)
    try:
        changed = change(model)
    finally:
        torch.__future__.set_swap_module_params_on_conversion(False)
    assert is_loaded(changed, "0.weight")
    assert is_loaded(changed, "1.running_mean")
    assert not is_loaded(changed, "0.bias")


@pytest.mark.parametrize("write", [lambda m: mark_loaded(m, "f"), lambda m: initialize(m, NINES)])
def test_tensors_with_records_can_be_swapped(write) -> None:
    model = nn.Linear(2, 2)
    write(model)
    other = nn.Parameter(torch.zeros(2, 2))
    torch.utils.swap_tensors(model.weight, other)
    assert (model.weight == 0).all()


def test_module_with_records_loads_without_brickwork(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    initialize(model, NINES)
    mark_loaded(model, "f", {"0.bias": "b"})
    torch.save(model, tmp_path / "model.pth")
    code = (
        "import sys, torch\n"
        f"model = torch.load({str(tmp_path / 'model.pth')!r}, weights_only=False)\n"
        "assert (model[0].weight == 9).all()\n"
        "assert not [name for name in sys.modules if name.startswith('brickwork')]\n"
    )
    run_python("-c", code)


@pytest.mark.parametrize("register", [parametrizations.weight_norm, parametrizations.orthogonal])
def test_record_is_found_by_the_name_before_parametrization(register) -> None:
    model = nn.Sequential(nn.Linear(3, 3))
    mark_loaded(model, "f", {"0.weight": "w"})
    register(model[0])
    if "original" in model[0].parametrizations.weight._parameters:
        assert is_loaded(model, "0.weight")
        assert is_loaded(model, "0.parametrizations.weight.original")
        assert init_report(model)["0.parametrizations.weight.original"].source.kind == "loaded"
    else:  # weight_norm splits the tensor in two
        assert not is_loaded(model, "0.parametrizations.weight.original0")


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.spectral_norm` is deprecated")
def test_record_is_found_under_spectral_norm() -> None:
    model = nn.Linear(3, 3)
    mark_loaded(model, "f", {"weight": "w"})
    nn.utils.spectral_norm(model)
    assert is_loaded(model, "weight")
    assert init_report(model)["weight_orig"].source.kind == "loaded"


class Tagged(torch.Tensor):
    """A subclass of tensors."""


@pytest.mark.parametrize("swap", [False, True])
def test_tensor_subclass_is_initialized_recorded_and_converted(swap: bool) -> None:
    class Own(BaseModule):
        def __init__(self, init_cfg: object) -> None:
            super().__init__(init_cfg)
            self.fc = nn.Linear(2, 2)
            self.fc.weight = nn.Parameter(torch.zeros(2, 2).as_subclass(Tagged))

        def init_weights(self) -> None:
            super().init_weights()
            nn.init.ones_(self.fc.weight)

    model = Own(NINES)
    model.init_weights()
    assert kind(model, "fc.weight") == "code"
    model.load_state_dict(model.state_dict())
    torch.__future__.set_swap_module_params_on_conversion(swap)
    try:
        model.to(torch.bfloat16)
    finally:
        torch.__future__.set_swap_module_params_on_conversion(False)
    assert model.fc.weight.dtype == torch.bfloat16
    assert is_loaded(model, "fc.weight")
    model.init_weights(force=True)
    assert (model.fc.weight == 1).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "write",
    [
        lambda model: mark_loaded(model, "f"),
        lambda model: initialize(model, NINES),
        lambda model: model.load_state_dict(model.state_dict()),
    ],
    ids=["mark_loaded", "initialize", "load_state_dict"],
)
def test_repeated_writes_of_a_live_model_do_not_grow_anything(write) -> None:
    model = Sequential(*(nn.Linear(1, 1) for _ in range(10)))

    def size() -> int:
        gc.collect()
        return len(gc.get_objects())

    write(model)
    before = size()
    for _ in range(50):
        write(model)
    assert size() <= before + 20


# -- parametrized tensors ----------------------------------------------------------------------


def test_rule_on_a_parametrized_tensor_warns_and_leaves_the_original() -> None:
    from brickwork_init.errors import IneffectiveRuleWarning

    model = nn.Sequential(parametrizations.orthogonal(nn.Linear(3, 3)))
    original = model[0].parametrizations.weight.original.detach().clone()
    with pytest.warns(IneffectiveRuleWarning, match="no effect on 'weight'.*parametrization"):
        initialize(model, {**NINES, "layer": "ParametrizedLinear"})
    assert torch.equal(model[0].parametrizations.weight.original, original)
    assert (model[0].bias == 9).all()


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.spectral_norm` is deprecated")
def test_rule_before_the_first_forward_reaches_through_spectral_norm() -> None:
    model = nn.utils.spectral_norm(nn.Linear(3, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        initialize(model, NINES)
    assert (model.weight_orig == 9).all()
    assert kind(model, "weight_orig") == "rule"


def test_rule_on_one_slot_of_a_tied_tensor_ends_the_load_of_the_other() -> None:
    model = nn.ModuleDict({"embed": nn.Embedding(2, 2), "head": nn.Linear(2, 2)})
    model["head"].weight = model["embed"].weight
    mark_loaded(model, "f")
    initialize(model, dict(type="Constant", val=1, layer="Embedding"))
    assert kind(model, "head.weight") == "rule"
    assert not is_loaded(model["head"], "weight")
    assert is_loaded(model, "head.bias")


@pytest.mark.parametrize(
    "write",
    [
        lambda model: initialize(model, NINES),
        lambda model: mark_loaded(model, "f"),
        lambda model: model.load_state_dict(model.state_dict()),
    ],
    ids=["initialize", "mark_loaded", "load_state_dict"],
)
def test_wrapper_subclass_is_converted_by_swapping(write) -> None:
    layer = nn.Linear(2, 2)
    layer.weight = nn.Parameter(TwoTensor(torch.zeros(2, 2), torch.zeros(2, 2)))
    model = nn.Sequential(layer)
    write(model)
    model.to(torch.float64)  # swaps the tensors, because a wrapper's data cannot be replaced
    assert isinstance(layer.weight, TwoTensor)
    assert layer.weight.a.dtype == layer.weight.b.dtype == torch.float64
