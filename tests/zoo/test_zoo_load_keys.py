"""Renaming of keys, compared with `re.sub`."""

from __future__ import annotations

import re

import pytest
import torch
from brickwork_zoo._load._load_report import collapse, suggest_renaming
from brickwork_zoo._load._revise_keys import revise, under_prefix
from brickwork_zoo._load._select_state_dict import select
from brickwork_zoo.errors import InvalidInputError
from hypothesis import given
from hypothesis import strategies as st

parts = st.sampled_from(["module", "backbone", "layer1", "0", "1", "conv", "weight", "bias", "ü"])
keys = st.lists(st.lists(parts, min_size=1, max_size=5).map(".".join), unique=True, max_size=12)
rules = st.lists(
    st.sampled_from(
        [(r"^module\.", ""), (r"layer(\d)", r"stage\1"), ("conv", "c"), (r"\.", "/"), ("^", "x.")]
    ),
    max_size=4,
)


@given(keys, rules)
def test_revise_applies_each_rule_to_each_key_in_order(names, rewrite):
    expected = []
    for name in names:
        for pattern, replacement in rewrite:
            name = re.sub(pattern, replacement, name)
        expected.append(name)
    if len(set(expected)) < len(expected):
        with pytest.raises(InvalidInputError):
            revise(names, rewrite)
    else:
        assert list(revise(names, rewrite).items()) == list(zip(expected, names, strict=True))


@given(keys)
def test_revise_without_rules_changes_nothing(names):
    assert revise(names, []) == {name: name for name in names}
    assert revise(names, lambda name: name) == {name: name for name in names}
    assert revise(names, lambda _: None) == {}


@given(keys, st.sampled_from(["module", "backbone.", "layer1.0", ""]))
def test_under_prefix_returns_keys_without_the_prefix(names, prefix):
    head = prefix if not prefix or prefix.endswith(".") else prefix + "."
    shortened = under_prefix(names, prefix)
    assert all(head + short == name for short, name in shortened.items())
    assert set(shortened.values()) == {n for n in names if n.startswith(head) and n != head}


@given(keys.filter(bool))
def test_selection_maps_new_keys_to_keys_of_the_file(names):
    checkpoint = {f"net.{name}": torch.ones(1) for name in names}
    selection = select(checkpoint, "x.pth", prefix="net", revise_keys=[("^", "a."), ("^", "b.")])
    assert selection.file_keys == {f"b.a.{name}": f"net.{name}" for name in names}
    assert selection.unrevised_keys == {f"b.a.{name}": name for name in names}
    assert list(selection.state_dict) == [f"b.a.{name}" for name in names]


@given(keys, st.data())
def test_collapse_counts_each_key_once(names, data):
    chosen = [name for name in names if data.draw(st.booleans())]
    total = 0
    for line in collapse(chosen, names):
        match = re.fullmatch(r"(.*)\.\* \((\d+)\)", line)
        if match:
            below = [name for name in names if name.startswith(match[1] + ".")]
            assert len(below) == int(match[2])
            assert set(below) <= set(chosen)
            total += len(below)
        else:
            assert line in chosen
            total += 1
    assert total == len(chosen)


@given(keys.filter(bool), st.sampled_from(["net", "a.b"]))
def test_suggested_renaming_matches_as_many_keys_as_it_says(names, head):
    model = dict.fromkeys(names, (2,))
    hint = suggest_renaming(model, {f"{head}.{name}": (2,) for name in names})
    match = re.match(r"revise_keys=\[\(r'(.*)', '(.*)'\)\] would match (\d+) of", hint)
    if match:
        revised = {re.sub(match[1], match[2], f"{head}.{name}") for name in names}
        assert len(revised & set(names)) >= int(match[3]) > 0


def test_invalid_rule_of_revise_keys_raises():
    for wrong in (["module"], [("a", "b", "c")], [3]):
        with pytest.raises(TypeError, match="revise_keys"):
            revise(["a"], wrong)
    for wrong in ([("(", "")], [("a", r"\9")]):
        with pytest.raises(ValueError, match="regular expression"):
            revise(["a"], wrong)
    with pytest.raises(TypeError, match="got 3"):
        revise(["a"], lambda _: 3)
