"""Uses of a registry that run on two implementations, for comparison.

Each scenario takes a `Registry` and a `build_from_cfg` and returns plain data; an exception is
represented by its type. Run in an environment with mmcv 1.7.2, this file prints the outcomes of
mmcv, which are stored beside it::

    python tests/registry/scenarios.py > tests/registry/scenarios_mmcv_1_7_2.json
"""

import json
import warnings
from collections.abc import Callable
from typing import Any

SCENARIOS: dict[str, Callable[[Any, Any], Any]] = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Cat:
    def __init__(self, color="grey", **rest):
        self.state = {"color": color, **rest}


class Dog:
    def __init__(self, size):
        if size < 0:
            raise ValueError("too small")
        self.state = {"size": size}


def bark(times=1):
    return "woof" * times


def attempt(call):
    """Return the outcome of a call as plain data."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # mmcv warns of its own deprecations
            value = call()
    except Exception as error:
        for kind in (KeyError, TypeError, ValueError):
            if isinstance(error, kind):
                return kind.__name__
        return "another exception"
    if isinstance(value, type) or callable(value):
        return value.__name__
    return getattr(value, "state", value)


def pets(registry_type):
    pets = registry_type("pets", scope="pets")
    pets.register_module(module=Cat)
    pets.register_module(name=["dog", "hound"], module=Dog)
    pets.register_module()(bark)
    return pets


@scenario
def lookups(registry_type, build):
    registry = pets(registry_type)
    return {
        "len": len(registry),
        "contains": [key in registry for key in ("Cat", "Dog", "dog", "hound", "pets.Cat")],
        "get": [
            attempt(lambda key=key: registry.get(key))
            for key in ("Cat", "Dog", "dog", "bark", "pets.hound", "pets.Bird", "Bird")
        ],
        "keys": list(registry.module_dict),
        "name, scope": [registry.name, registry.scope],
        "children": list(registry.children),
        "repr": repr(registry_type("empty", scope="e")),
    }


@scenario
def unknown_scope(registry_type, build):
    registry = pets(registry_type)
    return [
        attempt(lambda: registry.get("birds.Parrot")),
        attempt(lambda: "birds.Parrot" in registry),
        attempt(lambda: registry.build({"type": "birds.Parrot"})),
    ]


@scenario
def own_scope_before_a_child(registry_type, build):
    root = registry_type("r", scope="root")
    registry_type("r", parent=root, scope="child").register_module(module=Cat)
    return attempt(lambda: root.get("root.child.Cat"))


@scenario
def a_child_of_no_registry(registry_type, build):
    return attempt(lambda: registry_type("r", parent="root", scope="child"))


@scenario
def two_children_of_one_scope(registry_type, build):
    root = registry_type("r", scope="root")
    registry_type("r", parent=root, scope="child")
    return attempt(lambda: registry_type("r", parent=root, scope="child"))


@scenario
def registering_again(registry_type, build):
    registry = pets(registry_type)
    return [
        attempt(lambda: registry.register_module(module=Cat)),
        attempt(lambda: registry.register_module(name=["cat", "Cat"], module=Cat)),
        attempt(lambda: registry.register_module(name=["puss", "Cat"], module=Dog)),
        list(registry.module_dict),
    ]


@scenario
def split_keys(registry_type, build):
    return [list(registry_type.split_scope_key(key)) for key in ("a", "a.b", "a.b.c", "", ".a")]


@scenario
def registering(registry_type, build):
    registry = pets(registry_type)
    outcomes = [
        attempt(lambda: registry.register_module(name="Cat", module=Dog)),
        attempt(lambda: registry.register_module(name="Cat", force=True, module=Dog)),
        registry.get("Cat").__name__,
        attempt(lambda: registry.register_module(name=1, module=Dog)),
        attempt(lambda: registry.register_module(name=["x", 1], module=Dog)),
        attempt(lambda: registry.register_module(force="yes", module=Dog)),
        attempt(lambda: registry.register_module(module="Dog")),
        attempt(lambda: registry.register_module(module=3)),
        attempt(lambda: registry.register_module(name=("one", "two"), module=Dog)),
        attempt(lambda: registry.register_module(None, True, bark)),
        attempt(lambda: registry.register_module(Dog)),
    ]
    return [outcomes, list(registry.module_dict)]


@scenario
def decorating(registry_type, build):
    registry = registry_type("things", scope="s")

    @registry.register_module()
    class Alpha:
        pass

    @registry.register_module("beta")
    class Beta:
        pass

    @registry.register_module(name=["gamma", "delta"], force=True)
    def gamma():
        pass

    return [[name, thing.__name__] for name, thing in registry.module_dict.items()]


@scenario
def building(registry_type, build):
    registry = pets(registry_type)
    cfg = {"type": "Cat", "color": "red"}
    outcomes = [
        attempt(lambda cfg=cfg, defaults=defaults: build(cfg, registry, defaults))
        for cfg, defaults in [
            (cfg, None),
            (cfg, {"color": "blue", "tail": 1}),
            ({"color": "red"}, {"type": "Cat"}),
            ({"type": "Cat"}, {"type": "Dog", "color": "white"}),
            ({"type": "dog", "size": 3}, {}),
            ({"type": "dog"}, {"size": 4}),
            ({"type": "bark", "times": 2}, None),
            ({"type": Cat, "color": 1}, None),
            ({"type": bark}, None),
            ({"type": "pets.hound", "size": 1}, None),
            # what is wrong
            ({"type": "dog", "size": -1}, None),
            ({"type": "dog"}, None),
            ({"type": "dog", "siez": 1}, None),
            ({"type": "Bird"}, None),
            ({"type": "pets.Bird"}, None),
            ({"color": "red"}, None),
            ({"color": "red"}, {"size": 1}),
            ({}, None),
            ({"type": 3}, None),
            ({"type": None}, None),
            ({"type": Cat()}, None),
            ("Cat", None),
            (["type", "Cat"], None),
            (None, None),
            (3, None),
            (cfg, 3),
            (cfg, ["a"]),
            (cfg, "ab"),
        ]
    ]
    outcomes += [
        attempt(lambda other=other: build(cfg, other)) for other in ("registry", None, {}, Cat)
    ]
    return [outcomes, cfg]


@scenario
def build_method(registry_type, build):
    registry = pets(registry_type)
    return [
        attempt(lambda: registry.build({"type": "Cat"})),
        attempt(lambda: registry.build({"type": "Cat"}, {"color": 2})),
        attempt(lambda: registry.build({"type": "Cat"}, default_args={"color": 3})),
        attempt(lambda: registry.build(cfg={"type": "Cat"})),
        attempt(lambda: registry.build()),
        attempt(lambda: registry.build({"type": "Bird"})),
    ]


@scenario
def build_functions(registry_type, build):
    def shout(cfg, registry, mark="!"):
        return f"{cfg} {registry.scope}{mark}"

    parent = registry_type("r", build_func=shout, scope="parent")
    child = registry_type("r", parent=parent, scope="child")
    own = registry_type("r", lambda cfg, registry: "own", parent, "own")
    grandchild = registry_type("r", parent=own, scope="grandchild")
    return [
        parent.build("a"),
        child.build("b", mark="?"),
        own.build("c"),
        grandchild.build("d"),
        child.build_func is shout,
        registry_type("r", scope="x").build_func is build,
        child.parent is parent,
        parent.parent,
    ]


@scenario
def family(registry_type, build):
    root = registry_type("animals", scope="root")
    child = registry_type("animals", parent=root, scope="child")
    grandchild = registry_type("animals", parent=child, scope="grandchild")
    other = registry_type("animals", parent=root, scope="other")
    for registry in (root, child, grandchild, other):
        entry = type(f"Of_{registry.scope}", (), {})
        registry.register_module(module=entry)
    keys = [
        "Of_root", "Of_child", "Of_grandchild", "Of_other",
        "root.Of_root", "child.Of_child", "child.Of_root", "other.Of_other",
        "root.Of_child", "other.Of_child", "child.grandchild.Of_grandchild",
    ]  # fmt: skip
    entries = {}
    for registry in (root, child, grandchild, other):
        for key in keys[:-1] if registry is child else keys:
            entries[f"{registry.scope}: {key}"] = attempt(lambda r=registry, k=key: r.get(k))
    return [
        entries,
        list(root.children),
        list(child.children),
        type(root.build({"type": "child.grandchild.Of_grandchild"})).__name__,
        type(other.build({"type": "child.Of_child"})).__name__,
        attempt(lambda: other.build({"type": "child.Of_root"})),
    ]


def outcomes(registry_type, build):
    """Return the outcome of every scenario, as JSON has it."""
    results = {name: run(registry_type, build) for name, run in SCENARIOS.items()}
    return json.loads(json.dumps(results))


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mmcv.utils import Registry, build_from_cfg
    print(json.dumps(outcomes(Registry, build_from_cfg), indent=1))
