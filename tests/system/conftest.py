"""The distributions of this repository, read from their own `pyproject.toml`."""

import dataclasses
import os
import re
import shutil
import tomllib
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True)
class Distribution:
    """One installable part of the repository.

    Args:
        folder: Where its `pyproject.toml` lies.
    """

    folder: Path

    @cached_property
    def project(self) -> dict:
        return tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]

    @cached_property
    def tool(self) -> dict:
        return tomllib.loads((self.folder / "pyproject.toml").read_text())["tool"]

    @property
    def name(self) -> str:
        return self.project["name"]

    @property
    def package(self) -> Path:
        return self.folder / self.tool["hatch"]["build"]["targets"]["wheel"]["packages"][0]

    @property
    def import_name(self) -> str:
        return self.package.name

    @cached_property
    def version(self) -> str:
        text = (self.package / "__init__.py").read_text()
        return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE).group(1)

    @property
    def siblings(self) -> dict[str, str]:
        """Names of the siblings that it depends on → the requirement as written."""
        found = {}
        for requirement in self.project["dependencies"]:
            name = re.match(r"[A-Za-z0-9-]+", requirement).group(0)
            if name.startswith("brickwork"):
                found[name] = requirement
        return found

    @property
    def extra_siblings(self) -> dict[str, str]:
        """The same for what its extras add."""
        found = {}
        for requirements in self.project.get("optional-dependencies", {}).values():
            for requirement in requirements:
                name = re.match(r"[A-Za-z0-9-]+", requirement).group(0)
                if name.startswith("brickwork"):
                    found[name] = requirement
        return found

    def sources(self) -> list[Path]:
        return sorted([*self.package.rglob("*.py"), *self.package.rglob("*.pyi")])

    def __str__(self) -> str:
        return self.name


DISTRIBUTIONS = {
    distribution.name: distribution
    for distribution in map(Distribution, [*sorted((ROOT / "packages").iterdir()), ROOT / "meta"])
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "distribution" in metafunc.fixturenames:
        metafunc.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def distributions() -> dict[str, Distribution]:
    """Every distribution by its name."""
    return DISTRIBUTIONS


@pytest.fixture(scope="session")
def uv() -> str:
    """The installer that hatch brought along."""
    found = os.environ.get("HATCH_UV") or shutil.which("uv")
    if not found:
        pytest.fail("no uv: run the tests with `hatch run test`, which brings it, or install uv")
    return found
