"""`validate`: checks of a config that build nothing."""

from __future__ import annotations

import dataclasses
import functools
from typing import TypedDict, Unpack

import pytest
from brickwork_registry import Problem, Registry, validate


@pytest.fixture
def models():
    models = Registry("models of validate", scope="mine")
    layers = Registry("layers of validate", scope="mine")

    @models.register_module()
    class Net:
        def __init__(self, depth, stem=None, layers=(), **kwargs):
            raise AssertionError("validate must not build")

    @models.register_module()
    def stem(channels, bias=False):
        raise AssertionError("validate must not build")

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
def test_valid_config_has_no_problems(models, cfg):
    assert validate(cfg, models) == []


def test_all_problems_are_returned_with_their_paths(models):
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
    paths, messages = zip(*problems(cfg, models), strict=True)
    assert paths == (
        "",
        "stem",
        "stem.chanels",
        "layers[0].group",
        "layers[1].type",
        "layers[2].type",
        "layers[3].plain",
    )
    assert "misses the argument 'depth'" in messages[0]
    assert "did you mean 'channels'?" in messages[2]
    assert "did you mean 'groups'?; its arguments are in_channels, groups" in messages[3]
    assert "did you mean 'ValidatedLayer'?" in messages[4]
    assert "No module named" in messages[5]


@pytest.mark.parametrize(
    ("cfg", "path", "text"),
    [
        ("Net", "", "must be a dict"),
        ({"typ": "Net"}, "", "is 'typ' a typo of 'type'?"),
        ({"type": "Nett"}, "type", "did you mean 'Net'?"),
        ({"type": 3}, "type", "type must be a name"),
    ],
)
def test_invalid_outermost_config_has_one_problem(models, cfg, path, text):
    ((actual_path, message),) = problems(cfg, models)
    assert actual_path == path
    assert text in message


def test_problem_is_frozen_and_prints_path_and_message():
    problem = Problem("a.b", "is wrong")
    assert str(problem) == "a.b: is wrong"
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.path = "c"


class BaseOptions(TypedDict, total=False):
    num_classes: int


class Options(BaseOptions, total=False):
    dropout: float


class WithOptions:
    def __init__(self, depth, **options: Unpack[Options]): ...


class PassesOn(WithOptions):
    def __init__(self, width=1, **kwargs):
        super().__init__(depth=width, **kwargs)


class WithoutConstructor(PassesOn):
    pass


class UsesItself(WithOptions):
    def __init__(self, **kwargs):
        depth = kwargs.pop("deep", 1)
        super().__init__(depth, **kwargs)


def function_with_options(depth, **options: Unpack[Options]): ...


@pytest.mark.parametrize(
    ("kind", "valid"),
    [
        (WithOptions, ["depth", "num_classes", "dropout"]),
        (PassesOn, ["width", "depth", "num_classes", "dropout"]),
        (WithoutConstructor, ["width", "depth", "num_classes", "dropout"]),
        (function_with_options, ["depth", "num_classes", "dropout"]),
        (functools.partial(WithOptions, depth=1), ["depth", "num_classes", "dropout"]),
    ],
)
def test_misspelled_option_is_found_through_typed_kwargs_and_base_classes(models, kind, valid):
    models.register_module("Kind", module=kind)
    name = getattr(kind, "func", kind).__name__
    cfg = {"type": "Kind", "depth": 1, "num_clases": 10}
    assert problems(cfg, models) == [
        (
            "num_clases",
            f"{name} has no argument 'num_clases': did you mean "
            f"'num_classes'?; its arguments are {', '.join(valid)}",
        )
    ]
    assert problems({"type": "Kind", "depth": 1, "num_classes": 10}, models) == []


def test_kwargs_that_the_constructor_uses_itself_may_have_any_name(models):
    models.register_module(module=UsesItself)
    assert problems({"type": "UsesItself", "deep": 1}, models) == []
