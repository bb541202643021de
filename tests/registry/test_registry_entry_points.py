"""Entries that installed packages offer."""

import subprocess
import sys

import pytest
from brickwork_registry import Registry, errors


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package on the path that offers entries for the registry 'odd-named things'."""
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


def test_miss_imports_what_is_offered_and_registers_it(package):
    registry = Registry(package)
    assert "offering" not in sys.modules
    found = registry.get("Offered")
    assert found is sys.modules["offering"].Offered
    assert registry.module_dict == {"Offered": found}
    assert isinstance(registry.build({"type": "Offered"}), found)


def test_entry_that_is_there_needs_no_import(package):
    registry = Registry(package)
    registry.register_module(name="Offered", module=dict)
    assert registry.build({"type": "Offered"}) == {}
    assert "offering" not in sys.modules


@pytest.mark.parametrize("way", ["get", "build", "in"])
def test_failing_import_is_named_with_its_cause(package, way):
    registry = Registry(package)
    with pytest.raises(errors.EntryPointError) as caught:
        {
            "get": lambda: registry.get("Broken"),
            "build": lambda: registry.build({"type": "Broken"}),
            "in": lambda: "Broken" in registry,
        }[way]()
    assert isinstance(caught.value, KeyError)
    assert "broken_offering:Offered" in str(caught.value)
    assert "No module named 'no_such_library'" in str(caught.value)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_offer_of_no_class_is_refused(package):
    with pytest.raises(errors.EntryPointError, match="no class or function but 3"):
        Registry(package).get("Number")


def test_offered_names_are_suggested(package):
    with pytest.raises(KeyError, match="did you mean 'Offered'"):
        Registry(package).build({"type": "Ofered"})


def test_first_lookups_read_no_metadata():
    code = (
        "import sys; from brickwork_registry import Registry; r = Registry('initializers');"
        "r.register_module(name='x', module=dict); r.build(dict(type='x'));"
        "assert 'importlib.metadata' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
