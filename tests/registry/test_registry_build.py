"""Building: what `type` may be, and what is said when it fails."""

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


def notes(error):
    return "\n".join(error.__notes__)


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
def test_failure_keeps_its_type_and_tells_the_config_path(models, copied):
    stem = {"type": "Stem", "channels": -1}
    cfg = {
        "type": "Model",
        "copied": copied,
        "backbone": {"type": "Backbone", "layers": [{"type": "Stem", "channels": 1}, stem]},
    }
    with pytest.raises(ValueError, match="must not be negative") as caught:
        models.build(cfg)
    assert type(caught.value) is ValueError
    text = notes(caught.value)
    lines = text.splitlines()
    assert "Stem from the registry 'models' (scope 'mine')" in lines[0]
    assert lines[0].endswith("config path backbone.layers[1]")
    assert "Backbone" in lines[1]
    assert lines[1].endswith("config path backbone")
    assert "Model" in lines[2]
    assert "".join(traceback.format_exception(caught.value)).count("backbone.layers[1]") == 1


def test_path_is_found_when_defaults_were_added(models):
    cfg = {"type": "Backbone", "stem": {"type": "Stem", "channels": -1}}
    with pytest.raises(ValueError, match="negative") as caught:
        models.build({"type": "Model", "backbone": cfg})
    assert "config path backbone.stem\n" in notes(caught.value)


def test_config_made_in_the_code_is_marked(models):
    cfg = {"type": "Model", "backbone": {"type": "Backbone", "deep": True}}
    with pytest.raises(ValueError, match="negative") as caught:
        models.build(cfg)
    assert "config path backbone.…\n" in notes(caught.value)


def test_nested_miss_tells_the_path_too(models):
    cfg = {"type": "Model", "backbone": {"type": "Backbone", "stem": {"type": "Stam"}}}
    with pytest.raises(errors.NotRegisteredError, match="did you mean 'Stem'") as caught:
        models.build(cfg)
    assert "config path backbone.stem" in notes(caught.value)


def test_builders_that_bind_arguments_and_take_some_out_keep_the_path(models):
    def build_stem(cfg, channels):
        options = {**cfg}
        stem = models.resolve(options.pop("type"))
        options.pop("frozen", None)
        return build_from_cfg({**options, "type": functools.partial(stem, channels)}, models)

    models.register_module(name="Net", module=lambda stems: [build_stem(s, -1) for s in stems])
    good, bad = {"type": "dict"}, {"type": "Stem", "bias": True, "frozen": True}
    with models.override(dict=lambda channels: None), pytest.raises(ValueError) as caught:  # noqa: PT011
        models.build({"type": "Net", "stems": [good, bad]})
    assert "Stem from the registry 'models' (scope 'mine'), at config path stems[1]" in notes(
        caught.value
    )
    with pytest.raises(errors.NotRegisteredError) as caught:
        models.build({"type": "Net", "stems": [{"type": "Stam"}]})
    assert "looking up 'Stam', at config path stems[0]" in notes(caught.value)


def test_nested_config_without_a_type_tells_the_path(models):
    with pytest.raises(errors.MissingTypeError, match="is 'typ' a misspelt 'type'") as caught:
        models.build({"type": "Model", "backbone": {"typ": "Backbone"}})
    assert "config path backbone" in notes(caught.value)


def test_configs_with_arrays_do_not_disturb_the_search(models):
    class Array:
        def __eq__(self, other):
            raise RuntimeError("more than one truth")

        __hash__ = None

    cfg = {"type": "Backbone", "stem": {"type": "Stem", "channels": -1, "bias": Array()}}
    with pytest.raises(ValueError, match="negative") as caught:
        models.build({"type": "Model", "copied": True, "backbone": cfg})
    assert "Stem" in notes(caught.value)


@pytest.mark.parametrize("kind", ["Stem", "Wide"])
def test_misspelt_argument_names_the_valid_and_the_closest(models, kind):
    with pytest.raises(TypeError) as caught:
        models.build({"type": kind, "chanels": 3})
    assert type(caught.value) is TypeError
    assert "no argument 'chanels': did you mean 'channels'?" in notes(caught.value)
    assert "channels, bias" in notes(caught.value)


def test_type_error_from_inside_gets_no_word_about_arguments(models):
    models.register_module(name="add", module=lambda a: a + "x")
    with pytest.raises(TypeError, match="unsupported") as caught:
        models.build({"type": "add", "a": 1})
    assert "has no argument" not in notes(caught.value)


def test_failed_exception_pickles_with_its_notes(models):
    cfg = {"type": "Model", "backbone": {"type": "Stem", "channels": -1}}
    with pytest.raises(ValueError, match="negative") as caught:
        models.build(cfg)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.__notes__ == caught.value.__notes__
    assert type(again.__notes__[-1]) is str


def test_builders_of_their_own_use_note_failure(models):
    def build_layer(cfg):
        try:
            return [][1]
        except IndexError as error:
            note_failure(error, models, cfg, list)
            raise

    models.register_module(name="Net", module=lambda layer: build_layer(layer))
    with pytest.raises(IndexError) as caught:
        models.build({"type": "Net", "layer": {"type": "list"}})
    assert "building builtins.list from the registry 'models'" in notes(caught.value)
    assert "config path layer" in notes(caught.value)


@pytest.mark.parametrize(
    ("cfg", "kind", "text"),
    [
        ("Stem", TypeError, "cfg must be a dict, but got 'Stem' of type str"),
        ({"type": [1]}, TypeError, "type must be a name, an import path"),
        ({"type": "Stemm"}, KeyError, "'Stemm' is not in the 'models' registry (scope 'mine')"),
        ({"type": "zzz"}, KeyError, "it has 'Model', 'Backbone', 'Stem', 'Wide'"),
        ({"type": "det.Stem"}, KeyError, "no registry of scope 'det' is there, only 'mine'"),
        ({"type": "collections:OrderedDic"}, KeyError, "did you mean 'OrderedDict'?"),
        ({"type": "no_such_package:X"}, KeyError, "No module named 'no_such_package'"),
        ({"type": "math:pi"}, KeyError, "no class, function or partial"),
    ],
)
def test_what_is_wrong_reads_well(models, cfg, kind, text):
    with pytest.raises(errors.RegistryError) as caught:
        models.build(cfg)
    assert isinstance(caught.value, kind)
    assert text in str(caught.value)


def test_miss_points_at_the_registry_that_has_the_name(models):
    layers = Registry("layer", scope="mine")
    layers.register_module(name="OnlyHere", module=dict)
    child = Registry("models", parent=models, scope="child")
    with pytest.raises(KeyError) as caught:
        models.build({"type": "OnlyHere"})
    assert "the 'layer' registry has an entry of that name" in str(caught.value)
    with pytest.raises(KeyError) as caught:
        child.build({"type": "Stem"})
    assert "write 'mine.Stem'" in str(caught.value)


def test_miss_of_an_empty_registry_and_of_a_known_package():
    with pytest.raises(KeyError, match="it is empty"):
        Registry("empty registry").build({"type": "x"})
    with pytest.raises(KeyError, match="brickwork-models"):
        Registry("model").build({"type": "AlexNet"})


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
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_a_subclass_decides_what_a_name_means_also_one_that_it_has():
    class Shouting(Registry):
        def resolve(self, kind):
            return super().resolve(kind.upper())

    names = Shouting("names")
    names.register_module("a", module=list)
    names.register_module("A", module=dict)
    assert names.build({"type": "a", "x": 1}) == {"x": 1}


def test_a_name_of_a_known_package_says_which(monkeypatch):
    layers = Registry("conv layer", scope="of its own")
    with pytest.raises(errors.NotRegisteredError, match="install mmcv with its compiled operators"):
        layers.build({"type": "DCNv2"})
    for name in ("mmcv", "mmcv.ops"):
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(errors.NotRegisteredError, match=r"installed: import mmcv\.ops first"):
        layers.build({"type": "DCNv2"})
