"""Registering, lookup, temporary entries and printing."""

import copy
import functools
import threading
from pathlib import Path

import pytest
from brickwork_registry import Registry, errors, suggest

from tests.support.python import run_python


class First: ...


class Second: ...


@pytest.fixture
def registry():
    return Registry("things", scope="mine")


@pytest.mark.parametrize(
    "register",
    [
        lambda registry: registry.register_module(First),
        lambda registry: registry.register_module(First, force=True),
        lambda registry: registry.deprecated_register_module(First),
        lambda registry: registry.deprecated_register_module(force=True)(First),
    ],
    ids=["object", "object with force", "deprecated", "deprecated decorator"],
)
def test_deprecated_registration_of_mmcv_works_with_a_warning(registry, register):
    with pytest.warns(DeprecationWarning, match="use register_module"):
        registered = register(registry)
    assert registered is First
    assert registry.get("First") is First


def test_registering_the_same_object_again_needs_force(registry):
    registry.register_module(name=["a", "b"], module=First)
    with pytest.raises(errors.AlreadyRegisteredError):
        registry.register_module(name="a", module=First)
    registry.register_module(name="a", module=First, force=True)
    assert list(registry) == ["a", "b"]


def test_error_of_a_taken_name_has_file_and_line_of_both_objects(registry):
    registry.register_module(name="a", module=First)
    with pytest.raises(errors.AlreadyRegisteredError) as caught:
        registry.register_module(name=["fresh", "a"], module=Second)
    text = str(caught.value)
    lines = Path(__file__).read_text().splitlines()
    for name in ("First", "Second"):
        line = lines.index(f"class {name}: ...") + 1
        assert f"{name} ({__file__}:{line})" in text
    assert "force=True" in text
    assert list(registry) == ["a"]


def test_partial_needs_a_name(registry):
    halved = functools.partial(int, base=2)
    with pytest.raises(TypeError, match="partial has no name"):
        registry.register_module(module=halved)
    registry.register_module(name="binary", module=halved)
    assert registry.get("binary") is halved


class Callable:
    def __call__(self): ...

    def method(self): ...


@pytest.mark.parametrize("target", [Callable(), Callable().method], ids=["instance", "method"])
def test_callable_that_is_not_a_class_or_function_cannot_be_registered(registry, target):
    with pytest.raises(TypeError, match=r"a class, a function or a functools\.partial"):
        registry.register_module(name="x", module=target)


def test_exactly_one_of_many_threads_registers_a_name(registry):
    barrier, refused = threading.Barrier(16), []

    def register():
        barrier.wait()
        try:
            registry.register_module(name=["x", "y"], module=type("Mine", (), {}))
        except KeyError as error:
            refused.append(error)

    threads = [threading.Thread(target=register) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 15
    assert registry.get("x") is registry.get("y")


def test_scope_is_the_package_that_creates_the_registry():
    namespace = {"__name__": "package.models.backbones", "Registry": Registry}
    exec("plain = Registry('x')\ngeneric = Registry[int]('y')", namespace)
    assert namespace["plain"].scope == namespace["generic"].scope == "package"


def test_empty_registry_is_true_and_iterates_over_names(registry):
    assert registry
    assert list(registry) == []
    assert First not in registry
    assert None not in registry


@pytest.mark.parametrize("key", [3, None, ["a"]])
def test_key_must_be_a_string(registry, key):
    with pytest.raises(TypeError, match="must be a str"):
        registry.get(key)


def test_override_replaces_adds_and_restores(registry):
    registry.register_module(name="a", module=First)
    with registry.override(a=Second, b="collections:OrderedDict") as same:
        assert same is registry
        assert registry.get("a") is Second
        assert "b" in registry
        with registry.override(a=First):
            assert registry.get("a") is First
        assert registry.get("a") is Second
    assert registry.module_dict == {"a": First}


def test_override_restores_after_an_exception_and_works_again(registry):
    override = registry.override(a=First)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), override:
            1 / 0  # noqa: B018  (only the exception counts)
        assert "a" not in registry


def test_override_refuses_invalid_entries(registry):
    with pytest.raises(TypeError):
        registry.override(a=3)


def test_overridable_default_is_found_until_another_object_is_registered(registry):
    registry.register_default("a", First)
    assert registry.get("a") is registry.get("mine.a") is First
    assert list(registry) == ["a"]
    assert registry.module_dict == {}
    registry.register_module("a", module=Second)
    assert registry.get("a") is Second
    assert list(registry) == ["a"]
    with pytest.raises(errors.AlreadyRegisteredError):
        registry.register_module("a", module=First)


def test_table_lists_names_aliases_objects_and_children(registry):
    registry.register_module(name=["Clip", "Clamp"], module=First)
    registry.register_module(module=Second)
    registry.register_module(name="half", module=functools.partial(Second))
    Registry("things", parent=registry, scope="child").register_module(module=First)
    lines = str(registry).splitlines()
    assert lines[0] == "registry 'things', scope 'mine': 4 names of 3 objects"
    assert lines[1].split() == ["name", "aliases", "object"]
    assert lines[3].split() == ["Clip", "Clamp", f"{__name__}.First"]
    assert lines[4].split() == ["Second", f"{__name__}.Second"]
    assert lines[5].split() == ["half", "partial", "of", f"{__name__}.Second"]
    assert lines[6] == "children: child (1)"
    assert str(Registry("none", scope="s")) == "registry 'none', scope 's': 0 names of 0 objects"


def test_registry_can_be_deep_copied(registry):
    registry.register_module(module=First)
    other = copy.deepcopy(registry)
    other.register_module(module=Second)
    assert list(registry) == ["First"]


@pytest.mark.parametrize(
    ("name", "names", "text"),
    [
        ("conv2D", ["Conv1d", "Conv2d"], "did you mean 'Conv2d'?"),
        ("RelU", ["ReLU", "ReLU6", "GELU"], "did you mean 'ReLU'?"),
        ("zzz", ["Conv1d"], ""),
        ("x", [], ""),
        ("Conv4d", ["Conv1d", "Conv2d"], "did you mean 'Conv1d' or 'Conv2d'?"),
        ("Conv4d", ["Conv1d", "Conv2d", "Conv3d"], "did you mean 'Conv1d', 'Conv2d' or 'Conv3d'?"),
    ],
)
def test_suggest_returns_only_close_names(name, names, text):
    assert suggest(name, names) == text


def test_import_does_not_load_slow_modules():
    code = (
        "import sys; before = set(sys.modules); import brickwork_registry;"
        "print(*(set(sys.modules) - before))"
    )
    loaded = set(run_python("-c", code).split())
    slow = {"dataclasses", "difflib", "importlib.metadata", "inspect"}
    assert not loaded & slow


def test_dir_has_the_lazy_names_and_unknown_names_raise():
    import brickwork_registry

    assert set(brickwork_registry.__all__) <= set(dir(brickwork_registry))
    for name in brickwork_registry.__all__:
        assert getattr(brickwork_registry, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = brickwork_registry.nothing
