"""Selection by class, glob and predicate, and the warning if nothing is selected."""

from __future__ import annotations

import pickle
import warnings

import pytest
import torch
from brickwork_init import ConstantInit, errors, initialize
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
        self.norm1 = nn.LayerNorm(1)
        self.attn = nn.MultiheadAttention(2, 1)
        self.head = nn.Linear(1, 1)
        self.token = nn.Parameter(torch.zeros(2))


def changed(model: nn.Module, cfg: dict[str, object]) -> set[str]:
    """Return the names of the parameters that a rule selects."""
    initialize(model, dict(type="Constant", val=9, bias=9, **cfg))
    return {name for name, value in model.named_parameters() if (value == 9).all()}


@pytest.mark.parametrize(
    ("cfg", "names"),
    [
        (
            {"match": "backbone.*"},
            {"backbone.0.weight", "backbone.0.bias", "backbone.1.weight", "backbone.1.bias"},
        ),
        ({"match": "*norm*.weight"}, {"norm1.weight"}),
        ({"match": ["token", "head"]}, {"token", "head.weight", "head.bias"}),
        ({"match": "*.in_proj_*"}, {"attn.in_proj_weight", "attn.in_proj_bias"}),
        ({"match": "backbone.*", "layer": "Conv2d"}, {"backbone.0.weight", "backbone.0.bias"}),
        ({"layer": nn.modules.conv._ConvNd}, {"backbone.0.weight", "backbone.0.bias"}),
        ({"layer": [nn.LayerNorm, "Conv2d"], "match": "*.bias"}, {"backbone.0.bias", "norm1.bias"}),
        (
            {"where": lambda name, module: isinstance(module, nn.Linear) and name != "head"},
            {"attn.out_proj.weight", "attn.out_proj.bias"},
        ),
    ],
)
def test_conditions_select_these_parameters(cfg: dict[str, object], names: set[str]) -> None:
    assert changed(Net(), cfg) == names


def test_initializer_pickles_after_use_on_local_classes() -> None:
    class Local(nn.Linear): ...

    rule = ConstantInit(val=9, layer="Linear")
    rule(Local(1, 1))
    layer = nn.Linear(1, 1)
    pickle.loads(pickle.dumps(rule))(layer)
    assert layer.weight.item() == 9


def test_asterisk_selects_every_class() -> None:
    model = Net()
    usual = {name for name, _ in model.named_parameters() if name.endswith(("weight", "bias"))}
    assert changed(model, {"layer": "*"}) == usual - {"attn.in_proj_weight", "attn.in_proj_bias"}


def test_matched_bias_gets_the_value_of_bias() -> None:
    model = Net()
    initialize(model, dict(type="Constant", val=1, bias=2, match="attn.in_proj_*"))
    assert (model.attn.in_proj_weight == 1).all()
    assert (model.attn.in_proj_bias == 2).all()


@pytest.mark.parametrize(
    ("cfg", "hint"),
    [
        ({"layer": "conv2D"}, "did you mean 'Conv2d'"),
        ({"layer": "Transformer"}, "its modules are of the classes .*BatchNorm2d, Conv2d"),
        ({"match": "backbon.*"}, "did you mean .*'backbone'"),
        ({"match": "hed.weight"}, "did you mean 'head.weight'"),
        ({"where": lambda name, module: False}, "its parameters are token"),
    ],
)
def test_rule_that_matches_nothing_warns_with_similar_names(
    cfg: dict[str, object], hint: str
) -> None:
    with pytest.warns(errors.UnmatchedRuleWarning, match=f"matches nothing in Net: .*{hint}"):
        initialize(Net(), dict(type="Constant", val=1, **cfg))


def test_one_matching_class_of_several_gives_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        initialize(Net(), dict(type="Constant", val=1, layer=["Linear", "GroupNorm"]))
