"""Versions, changelogs, pins, licenses and type markers of every distribution agree."""

import importlib.metadata
import re

import pytest

from tests.support.repository import DISTRIBUTIONS

LICENSE_NAME = "Apache License"


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_distribution_has_its_standard_files(distribution):
    for file in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        assert (distribution.folder / file).is_file(), file
    assert (distribution.package / "py.typed").is_file()
    assert LICENSE_NAME in (distribution.folder / "LICENSE").read_text()
    assert distribution.project["license"] == "Apache-2.0"


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_license_is_that_of_the_repository(distribution, root):
    assert (distribution.folder / "LICENSE").read_text() == (root / "LICENSE").read_text()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_newest_release_in_the_changelog_is_the_current_version(distribution):
    text = (distribution.folder / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    newest = next(heading for heading in headings if heading != "Unreleased")
    assert newest.split()[0] == distribution.version
    section = text.split(f"## {newest}\n", 1)[1].split("\n## ", 1)[0]
    assert section.strip(), "the section of a release is empty"


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_changelog_lists_versions_from_new_to_old(distribution):
    text = (distribution.folder / "CHANGELOG.md").read_text()
    assert text.startswith(f"# Changelog of {distribution.name}\n")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert "Unreleased" not in headings[1:]
    released = [heading for heading in headings if heading != "Unreleased"]
    # a version, with its date once it is released
    parsed = [re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?: \(\d{4}-\d\d-\d\d\))?", h) for h in released]
    versions = [tuple(map(int, match.groups())) for match in parsed]
    assert versions == sorted(set(versions), reverse=True)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_installed_version_is_that_of_the_source(distribution):
    assert importlib.metadata.version(distribution.name) == distribution.version


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_pins_allow_the_current_versions_of_siblings(distribution, distributions):
    for name, requirement in {**distribution.siblings, **distribution.extra_siblings}.items():
        major, minor, _ = (int(part) for part in distributions[name].version.split("."))
        lower, upper = (f"{major}.{minor}", f"{major}.{minor + 1}")
        if major:
            upper = str(major + 1)
        pin = re.sub(r"^[a-z-]+(\[[a-z,]+\])?", "", requirement)
        assert pin == f">={lower},<{upper}", f"{distribution.name} asks for {requirement}"


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_minimum_versions_are_the_same_everywhere(distribution):
    assert distribution.project["requires-python"] == ">=3.11"
    requirements = [
        *distribution.project["dependencies"],
        *(r for e in distribution.project.get("optional-dependencies", {}).values() for r in e),
    ]
    floors = {r for r in requirements if r.startswith("torch")}
    assert floors <= {"torch>=2.10"}


def test_registry_has_no_dependencies(distributions):
    assert distributions["brickwork-registry"].project["dependencies"] == []


def test_zoo_needs_no_torch(distributions):
    requirements = distributions["brickwork-zoo"].project["dependencies"]
    assert not [r for r in requirements if r.startswith(("torch", "brickwork"))]


def test_meta_package_depends_on_every_other(distributions):
    meta = distributions["brickwork"]
    assert set(meta.siblings) == set(distributions) - {"brickwork"}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_entry_points_can_be_loaded(distribution):
    for group, entries in distribution.project.get("entry-points", {}).items():
        assert group.startswith("brickwork."), group
        for name, target in entries.items():
            (point,) = importlib.metadata.entry_points(group=group, name=name)
            assert point.value == target
            assert point.load() is not None
