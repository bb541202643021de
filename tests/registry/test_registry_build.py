"""Building from configs: valid types, and what errors say."""

import functools
import importlib.machinery
import pickle
import sys
import traceback
import types
from collections import OrderedDict

import pytest
from brickwork_registry import Registry, build_from_cfg, errors, note_failure


@pytest.fixture
def models():
    models = Registry("models", scope="mine")

    @models.register_module()
    class Model:
        def __init__(self, backbone, *, copied=False):
            self.backbone = models.build(dict(backbone) if copied else backbone)

    @models.register_module()
    class Backbone:
        def __init__(self, stem=None, layers=(), deep=False):
            self.stem = None if stem is None else build_from_cfg(stem, models, {"bias": True})
            self.layers = [models.build(layer) for layer in layers]
            if deep:
                models.build({"type": "Stem", "channels": -2})

    @models.register_module()
    class Stem:
        def __init__(self, channels, bias=False):
            if channels < 0:
                raise ValueError("channels must not be negative")
            self.channels = channels

    @models.register_module()
    class Wide(Stem):
        def __init__(self, width=2, **kwargs):
            super().__init__(**kwargs)

    return models


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        (OrderedDict, OrderedDict(a=1)),
        (dict, {"a": 1}),
        (functools.partial(dict, b=2), {"a": 1, "b": 2}),
        ("collections:OrderedDict", OrderedDict(a=1)),
        ("builtins:dict.fromkeys", None),
        (lambda a: a, 1),
    ],
)
def test_type_may_be_a_class_function_partial_or_import_path(models, kind, result):
    if kind == "builtins:dict.fromkeys":
        with pytest.raises(TypeError, match="keyword arguments"):
            models.build({"type": kind, "a": 1})
    else:
        assert models.build({"type": kind, "a": 1}) == result


def test_config_and_defaults_are_not_changed(models):
    cfg, defaults = {"type": "Stem", "channels": 1}, {"bias": True}
    build_from_cfg(cfg, models, defaults)
    assert (cfg, defaults) == ({"type": "Stem", "channels": 1}, {"bias": True})


@pytest.mark.parametrize("copied", [False, True])
def test_exception_keeps_its_type_and_has_a_trace_of_config_paths(models, copied):
    stem = {"type": "Stem", "channels": -1}
    cfg = {
        "type": "Model",
        "copied": copied,
        "backbone": {"type": "Backbone", "layers": [{"type": "Stem", "channels": 1}, stem]},
    }
    with pytest.raises(ValueError, match="must not be negative") as caught:
        models.build(cfg)
    assert type(caught.value) is ValueError
    prefix = f"building {__name__}.models.<locals>"
    registry = "from the registry 'models' (scope 'mine')"
    assert caught.value.build_trace == [
        f"{prefix}.Stem {registry}, at config path backbone.layers[1]",
        f"{prefix}.Backbone {registry}, at config path backbone",
        f"{prefix}.Model {registry}",
    ]
    printed = "".join(traceback.format_exception(caught.value))
    assert "\n  inside ".join(caught.value.build_trace) in printed
    assert printed.count("backbone.layers[1]") == 1


def test_config_path_is_found_when_defaults_were_added(models):
    cfg = {"type": "Backbone", "stem": {"type": "Stem", "channels": -1}}
    with pytest.raises(ValueError, match="negative") as caught:
        models.build({"type": "Model", "backbone": cfg})
    assert caught.value.build_trace[0].endswith("at config path backbone.stem")


def test_config_created_by_code_has_an_ellipsis_as_path(models):
    cfg = {"type": "Model", "backbone": {"type": "Backbone", "deep": True}}
    with pytest.raises(ValueError, match="negative") as caught:
        models.build(cfg)
    assert caught.value.build_trace[0].endswith("at config path backbone.…")


def test_nested_unregistered_name_has_a_config_path(models):
    cfg = {"type": "Model", "backbone": {"type": "Backbone", "stem": {"type": "Stam"}}}
    with pytest.raises(errors.NotRegisteredError, match="did you mean 'Stem'") as caught:
        models.build(cfg)
    assert caught.value.build_trace[0].endswith("at config path backbone.stem")


def test_builder_that_binds_and_removes_arguments_keeps_the_config_path(models):
    def build_stem(cfg, channels):
        options = {**cfg}
        stem = models.resolve(options.pop("type"))
        options.pop("frozen", None)
        return build_from_cfg({**options, "type": functools.partial(stem, channels)}, models)

    models.register_module(name="Net", module=lambda stems: [build_stem(s, -1) for s in stems])
    good, bad = {"type": "dict"}, {"type": "Stem", "bias": True, "frozen": True}
    with models.override(dict=lambda channels: None), pytest.raises(ValueError) as caught:  # noqa: PT011
        models.build({"type": "Net", "stems": [good, bad]})
    assert caught.value.build_trace[0].endswith(
        "Stem from the registry 'models' (scope 'mine'), at config path stems[1]"
    )
    with pytest.raises(errors.NotRegisteredError) as caught:
        models.build({"type": "Net", "stems": [{"type": "Stam"}]})
    assert caught.value.build_trace[0] == "looking up 'Stam', at config path stems[0]"


def test_nested_config_without_a_type_has_a_config_path(models):
    with pytest.raises(errors.MissingTypeError, match="is 'typ' a typo of 'type'") as caught:
        models.build({"type": "Model", "backbone": {"typ": "Backbone"}})
    assert caught.value.build_trace[0].endswith("at config path backbone")


def test_config_values_that_cannot_be_compared_do_not_hide_the_error(models):
    class Array:
        def __eq__(self, other):
            raise RuntimeError("more than one truth")

        __hash__ = None

    cfg = {"type": "Backbone", "stem": {"type": "Stem", "channels": -1, "bias": Array()}}
    with pytest.raises(ValueError, match="negative") as caught:
        models.build({"type": "Model", "copied": True, "backbone": cfg})
    assert "Stem from the registry" in caught.value.build_trace[0]


@pytest.mark.parametrize("kind", ["Stem", "Wide"])
def test_misspelled_argument_gives_valid_names_and_a_suggestion(models, kind):
    with pytest.raises(TypeError) as caught:
        models.build({"type": kind, "chanels": 3})
    assert type(caught.value) is TypeError
    suggestion, valid, _ = caught.value.__notes__
    assert suggestion.endswith("has no argument 'chanels': did you mean 'channels'?")
    assert valid.endswith("channels, bias")


def test_type_error_of_the_function_body_gets_no_note_about_arguments(models):
    models.register_module(name="add", module=lambda a: a + "x")
    with pytest.raises(TypeError, match="unsupported") as caught:
        models.build({"type": "add", "a": 1})
    assert len(caught.value.__notes__) == 1


def test_exception_pickles_with_its_trace_even_if_the_config_does_not(models):
    def unpicklable(): ...

    cfg = {"type": "Model", "backbone": {"type": "Stem", "channels": -1, "bias": unpicklable}}
    with pytest.raises(ValueError, match="negative") as caught:
        models.build(cfg)
    copied = pickle.loads(pickle.dumps(caught.value))
    assert copied.build_trace == caught.value.build_trace
    assert copied.__notes__ == caught.value.__notes__


def test_exception_from_another_process_keeps_its_trace_below_the_present_one(models):
    with pytest.raises(ValueError, match="negative") as caught:
        models.build({"type": "Stem", "channels": -1})
    pickled = pickle.dumps(caught.value)

    @models.register_module()
    def fails_elsewhere():
        raise pickle.loads(pickled)

    with pytest.raises(ValueError, match="negative") as again:
        models.build({"type": "fails_elsewhere"})
    inner, outer = again.value.build_trace
    assert [inner] == caught.value.build_trace
    assert "fails_elsewhere" in outer


def test_note_failure_adds_a_custom_builder_to_the_trace(models):
    def build_layer(cfg):
        try:
            return [][1]
        except IndexError as error:
            note_failure(error, models, cfg, list)
            raise

    models.register_module(name="Net", module=lambda layer: build_layer(layer))
    with pytest.raises(IndexError) as caught:
        models.build({"type": "Net", "layer": {"type": "list"}})
    assert caught.value.build_trace[0] == (
        "building builtins.list from the registry 'models' (scope 'mine'), at config path layer"
    )


@pytest.mark.parametrize(
    ("cfg", "kind", "text"),
    [
        ("Stem", TypeError, "cfg must be a dict, got 'Stem' of type str"),
        ({"type": [1]}, TypeError, "type must be a name, an import path"),
        ({"type": "Stemm"}, KeyError, "'Stemm' is not in the 'models' registry (scope 'mine')"),
        ({"type": "zzz"}, KeyError, "registered names: 'Model', 'Backbone', 'Stem', 'Wide'"),
        ({"type": "det.Stem"}, KeyError, "scope 'det' is unknown, known scopes: 'mine'"),
        ({"channels": 1}, KeyError, '`cfg` or `default_args` must contain the key "type"'),
        ({"type": "collections:OrderedDic"}, KeyError, "did you mean 'OrderedDict'?"),
        ({"type": "no_such_package:X"}, KeyError, "No module named 'no_such_package'"),
        ({"type": "math:pi"}, KeyError, "must be a class, a function or a functools.partial, got"),
    ],
)
def test_error_message_says_what_is_wrong(models, cfg, kind, text):
    with pytest.raises(errors.RegistryError) as caught:
        models.build(cfg)
    assert isinstance(caught.value, kind)
    assert text in str(caught.value)


def test_error_names_the_registry_that_has_the_missing_name(models):
    layers = Registry("layer", scope="mine")
    layers.register_module(name="OnlyHere", module=dict)
    child = Registry("models", parent=models, scope="child")
    with pytest.raises(KeyError) as caught:
        models.build({"type": "OnlyHere"})
    assert "the registry 'layer' has an entry of that name" in str(caught.value)
    with pytest.raises(KeyError) as caught:
        child.build({"type": "Stem"})
    assert "write 'mine.Stem'" in str(caught.value)


def test_error_of_an_empty_registry_says_that_it_is_empty():
    with pytest.raises(KeyError, match="the registry is empty"):
        Registry("empty registry").build({"type": "x"})


@pytest.mark.parametrize(
    "error",
    [
        errors.MissingTypeError("r", "{}", "hint"),
        errors.InvalidConfigError("cfg", "a dict", "3"),
        errors.NotRegisteredError("k", "r", "s", "hint"),
        errors.EntryPointError("k", "r", "s", "a:b", "cause"),
        errors.ImportPathError("a:b", "r", "s", "cause"),
        errors.AlreadyRegisteredError("k", "r", "one", "two", "hint"),
    ],
)
def test_errors_pickle_with_their_attributes(error):
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert vars(copied) == vars(error)


def test_subclass_may_override_resolve_even_for_registered_names():
    class Shouting(Registry):
        def resolve(self, kind):
            return super().resolve(kind.upper())

    names = Shouting("names")
    names.register_module("a", module=list)
    names.register_module("A", module=dict)
    assert names.build({"type": "a", "x": 1}) == {"x": 1}


def test_error_names_the_declared_provider_of_a_missing_name(monkeypatch):
    layers = Registry("layer with a provider", scope="own")
    layers.declare_provider(["DCNv2"], distribution="some-ops", module="some.ops")
    with pytest.raises(errors.NotRegisteredError, match="install some-ops, which provides it"):
        layers.build({"type": "DCNv2"})
    for name in ("some", "some.ops"):
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(errors.NotRegisteredError, match=r"installed: import some\.ops first"):
        layers.build({"type": "DCNv2"})
