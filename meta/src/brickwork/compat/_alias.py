"""Modules under another package's name whose contents are ours.

A finder at the head of `sys.meta_path` answers for one package. Each module of it that we cover is
an `Alias`: a module object of its own, so that code may patch it and pickles may name it, which
asks our module for what it does not hold itself. Where the real package is installed, what we do
not cover comes from it: its own submodules are found on its own path, and the names of a package
that we cover in part are looked up in the real module, which is executed when first needed, and
whose own imports reach ours. Where it is not, the ImportError says what to do.
"""

import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from .errors import NotCoveredError


@dataclass(frozen=True)
class Coverage:
    """What we answer for in another package.

    Args:
        package: Its name.
        version: The version that we stand for; a real package of the same major version serves
            what we do not cover.
        modules: Its modules → ours.
        whole: Modules that we cover entirely, with all below them: nothing real is mixed in.
        stand_ins: Its modules → those of ours that serve names where there is no real one.
        distributions: Names under which it is distributed.
    """

    package: str
    version: str
    modules: Mapping[str, str]
    whole: tuple[str, ...] = ()
    stand_ins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    distributions: tuple[str, ...] = ()

    def ours(self, module: str) -> tuple[str, ...]:
        """Name our modules that may answer for one of the package's, the foremost first."""
        first = self.modules.get(module)
        return (*([first] if first else []), *self.stand_ins.get(module, ()))

    def is_whole(self, module: str) -> bool:
        """Tell whether a module is covered entirely."""
        return any(module == top or module.startswith(f"{top}.") for top in self.whole)


class Alias(ModuleType):
    """A module of another package, answered by one of ours.

    Args:
        name: Its name there.
        finder: Who found it.
    """

    def __init__(self, name: str, finder: "AliasFinder") -> None:
        answered = ", ".join(f"`{one}`" for one in finder.coverage.ours(name))
        super().__init__(name, f"`{name}`, answered by {answered}.")
        self._finder = finder

    def __getattr__(self, name: str) -> object:
        finder: AliasFinder = self.__dict__["_finder"]
        if name == "__all__":
            return sorted(set().union(*(_public(module) for module in finder.layers(self))))
        if finder.coverage.ours(f"{self.__name__}.{name}"):
            return importlib.import_module(f"{self.__name__}.{name}")
        if not (name.startswith("__") and name.endswith("__")):
            for module in finder.layers(self):
                try:
                    return getattr(module, name)
                except AttributeError:
                    continue
        raise AttributeError(
            f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self
        )

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self.__getattr__("__all__")})  # type: ignore[misc]  # a list


def _public(module: ModuleType) -> Sequence[str]:
    found: Sequence[str] | None = getattr(module, "__all__", None)
    return found if found is not None else [n for n in vars(module) if not n.startswith("_")]


@dataclass(repr=False, eq=False)
class AliasFinder(MetaPathFinder, Loader):
    """Finds and loads the aliases of one package.

    Args:
        coverage: What we answer for.
    """

    coverage: Coverage
    real: ModuleSpec | None = None
    _executed: dict[str, ModuleType] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"brickwork.compat for {self.coverage.package} {self.coverage.version}"

    def __post_init__(self) -> None:
        self.real = self._find_real()

    def _find_real(self) -> ModuleSpec | None:
        from importlib import metadata  # only on install

        for distribution in self.coverage.distributions:
            try:
                version = metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
            if version.split(".")[0] == self.coverage.version.split(".")[0]:
                return PathFinder.find_spec(self.coverage.package)
        return None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find an alias, leave a module to the real package, or say that it is not covered."""
        if fullname.split(".")[0] != self.coverage.package:
            return None
        covered = fullname in self.coverage.modules
        if covered or (not self.real and fullname in self.coverage.stand_ins):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        if self.real and not self.coverage.is_whole(fullname):
            return None
        raise NotCoveredError(fullname, self.coverage.package, self.coverage.version)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the alias."""
        return Alias(spec.name, self)

    def exec_module(self, module: ModuleType) -> None:
        """Give the alias its place in the real package, if there is one."""
        origin = importlib.util.find_spec(self.coverage.ours(module.__name__)[0])
        module.__file__ = origin.origin if origin else None
        spec = self._real_spec(module.__name__)
        module.__path__ = list(spec.submodule_search_locations or []) if spec else []
        if module.__name__ == self.coverage.package:
            from importlib import metadata

            module.__dict__["__version__"] = self.coverage.version
            for distribution in self.coverage.distributions if self.real else ():
                try:
                    module.__dict__["__version__"] = metadata.version(distribution)
                except metadata.PackageNotFoundError:
                    continue

    def _real_spec(self, name: str) -> ModuleSpec | None:
        if self.real is None or self.coverage.is_whole(name):
            return None
        if name == self.coverage.package:
            return self.real
        parent = self._real_spec(name.rpartition(".")[0])
        locations = parent.submodule_search_locations if parent else None
        return PathFinder.find_spec(name, list(locations)) if locations else None

    def layers(self, alias: ModuleType) -> Iterator[ModuleType]:
        """Yield where an alias looks for names: our module, then the real one or what stands in."""
        name = alias.__name__
        for ours in self.coverage.ours(name):
            if not self.real or ours == self.coverage.modules.get(name):
                yield importlib.import_module(ours)
        if name not in self._executed:
            spec = self._real_spec(name)
            if spec is None or spec.loader is None:
                return
            module = importlib.util.module_from_spec(spec)
            self._executed[name] = module  # first: what it imports may ask again
            spec.loader.exec_module(module)
        yield self._executed[name]


def install(*coverages: Coverage) -> None:
    """Answer for packages from now on.

    Args:
        *coverages: What we answer for, one for each package; those that are installed stay.

    Raises:
        RuntimeError: If such a package has been imported before.
    """
    for coverage in coverages:
        if any(isinstance(f, AliasFinder) and f.coverage is coverage for f in sys.meta_path):
            continue
        if coverage.package in sys.modules:
            raise RuntimeError(
                f"{coverage.package} has been imported already, from"
                f" {sys.modules[coverage.package].__spec__!r}; install before anything imports it"
            )
        sys.meta_path.insert(0, AliasFinder(coverage))


def uninstall(*coverages: Coverage) -> None:
    """Answer for packages no longer; what has imported from them keeps what it has.

    Args:
        *coverages: As they were installed.
    """
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if not (isinstance(finder, AliasFinder) and finder.coverage in coverages)
    ]
    packages = {coverage.package for coverage in coverages}
    for name in [name for name in sys.modules if name.split(".")[0] in packages]:
        del sys.modules[name]
