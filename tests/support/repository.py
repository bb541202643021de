"""The repository and its distributions, read from their own `pyproject.toml`."""

import dataclasses
import re
import tomllib
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True)
class Distribution:
    """An installable part of the repository.

    Args:
        folder: Folder of its `pyproject.toml`.
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
        """Requirements on other distributions of the repository, by name."""
        return _siblings(self.project["dependencies"])

    @property
    def extra_siblings(self) -> dict[str, str]:
        """Those that the extras add."""
        extras = self.project.get("optional-dependencies", {}).values()
        return _siblings([requirement for extra in extras for requirement in extra])

    def sources(self) -> list[Path]:
        return sorted([*self.package.rglob("*.py"), *self.package.rglob("*.pyi")])

    def __str__(self) -> str:
        return self.name


def _siblings(requirements: list[str]) -> dict[str, str]:
    named = {re.match(r"[A-Za-z0-9-]+", text).group(0): text for text in requirements}
    return {name: text for name, text in named.items() if name.startswith("brickwork")}


DISTRIBUTIONS = {
    distribution.name: distribution
    for distribution in (
        Distribution(file.parent)
        for file in [*sorted(ROOT.glob("packages/*/pyproject.toml")), ROOT / "meta/pyproject.toml"]
    )
}
