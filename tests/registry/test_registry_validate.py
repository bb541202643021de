"""Checking a config without building anything."""

import dataclasses

import pytest
from brickwork_registry import Problem, Registry, validate


@pytest.fixture
def models():
    models = Registry("models of validate", scope="mine")
    layers = Registry("layers of validate", scope="mine")

    @models.register_module()
    class Net:
        def __init__(self, depth, stem=None, layers=(), **kwargs):
            raise AssertionError("nothing is to be built")

    @models.register_module()
    def stem(channels, bias=False):
        raise AssertionError("nothing is to be built")

    @layers.register_module()
    class ValidatedLayer:
        def __init__(self, in_channels, groups=1): ...

    models.layers = layers
    return models


def problems(cfg, registry):
    return [(problem.path, problem.message) for problem in validate(cfg, registry)]


@pytest.mark.parametrize(
    "cfg",
    [
        {"type": "Net", "depth": 3},
        {"type": "Net", "depth": 3, "anything": {"a": 1}},
        {"type": "mine.stem", "channels": 3},
        {"type": dict, "a": 1},
        {"type": "collections:OrderedDict", "a": 1},
        {"type": "Net", "depth": 1, "layers": [{"type": "ValidatedLayer", "groups": 2}]},
        {"type": "Net", "depth": 1, "data": {"type": 3}},
    ],
)
def test_right_configs_have_no_problems(models, cfg):
    assert validate(cfg, models) == []


def test_all_problems_come_at_once_with_their_paths(models):
    cfg = {
        "type": "Net",
        "stem": {"type": "stem", "chanels": 1},
        "layers": [
            {"type": "ValidatedLayer", "group": 3},
            {"type": "ValidatedLayr"},
            {"type": "no_such_package:X"},
            {"plain": {"type": "stem"}},
        ],
    }
    found = problems(cfg, models)
    assert [path for path, _ in found] == [
        "",
        "stem",
        "stem.chanels",
        "layers[0].group",
        "layers[1].type",
        "layers[2].type",
        "layers[3].plain",
    ]
    assert "lacks the argument 'depth'" in found[0][1]
    assert "did you mean 'channels'?" in found[2][1]
    assert "did you mean 'groups'?; it has in_channels, groups" in found[3][1]
    assert "did you mean 'ValidatedLayer'?" in found[4][1]
    assert "No module named" in found[5][1]


@pytest.mark.parametrize(
    ("cfg", "path", "text"),
    [
        ("Net", "", "must be a dict"),
        ({"typ": "Net"}, "", "is 'typ' a misspelt 'type'?"),
        ({"type": "Nett"}, "type", "did you mean 'Net'?"),
        ({"type": 3}, "type", "type must be a name"),
    ],
)
def test_wrong_top(models, cfg, path, text):
    ((found_path, message),) = problems(cfg, models)
    assert found_path == path
    assert text in message


def test_problem_is_frozen_and_reads_well():
    problem = Problem("a.b", "is wrong")
    assert str(problem) == "a.b: is wrong"
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.path = "c"
