"""Entries that installed packages offer through entry points."""

import sys

import pytest
from brickwork_registry import Registry, errors

from tests.support.python import run_python


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Put a package on the path with entry points for the registry 'odd-named things'."""
    (tmp_path / "offering.py").write_text("class Offered: ...\nnumber = 3\n")
    (tmp_path / "broken_offering.py").write_text("import no_such_library\n")
    info = tmp_path / "offering-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offering\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[brickwork.odd_named_things]\nOffered = offering:Offered\n"
        "Broken = broken_offering:Offered\nNumber = offering:number\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "odd-named things"
    sys.modules.pop("offering", None)


def test_missing_name_is_imported_from_its_entry_point_and_registered(package):
    registry = Registry(package)
    assert "offering" not in sys.modules
    entry = registry.get("Offered")
    assert entry is sys.modules["offering"].Offered
    assert registry.module_dict == {"Offered": entry}
    assert isinstance(registry.build({"type": "Offered"}), entry)


def test_registered_name_imports_no_entry_point(package):
    registry = Registry(package)
    registry.register_module(name="Offered", module=dict)
    assert registry.build({"type": "Offered"}) == {}
    assert "offering" not in sys.modules


@pytest.mark.parametrize(
    "look_up",
    [
        lambda registry: registry.get("Broken"),
        lambda registry: registry.build({"type": "Broken"}),
        lambda registry: "Broken" in registry,
    ],
    ids=["get", "build", "in"],
)
def test_failing_entry_point_raises_with_its_cause(package, look_up):
    registry = Registry(package)
    with pytest.raises(errors.EntryPointError) as caught:
        look_up(registry)
    assert isinstance(caught.value, KeyError)
    assert "broken_offering:Offered" in str(caught.value)
    assert "No module named 'no_such_library'" in str(caught.value)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_entry_point_that_is_not_a_class_is_refused(package):
    with pytest.raises(
        errors.EntryPointError, match=r"must be a class, a function or a functools\.partial, got 3"
    ):
        Registry(package).get("Number")


def test_names_of_entry_points_are_suggested(package):
    with pytest.raises(KeyError, match="did you mean 'Offered'"):
        Registry(package).build({"type": "Ofered"})


def test_lookup_of_a_registered_name_reads_no_metadata():
    code = (
        "import sys; from brickwork_registry import Registry; r = Registry('initializers');"
        "r.register_module(name='x', module=dict); r.build(dict(type='x'));"
        "assert 'importlib.metadata' not in sys.modules"
    )
    run_python("-c", code)
