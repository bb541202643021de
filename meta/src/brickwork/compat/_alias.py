"""Modules under another package's name whose contents are ours.

A finder at the head of `sys.meta_path` answers for one package. Each module of it that we cover is
an `Alias`: a module object of its own, so that code may patch it and pickles may name it, which
asks our module for what it does not hold itself. Where the real package is installed, what we do
not cover comes from it: its own submodules are found on its own path, and the names of a package
that we cover in part are looked up in the real module, which is executed when first needed, and
whose own imports reach ours. Where it is not, the ImportError says what to do.
"""

import contextlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import MappingProxyType, ModuleType
from typing import NamedTuple

from .errors import NotCoveredError

_REAL = ".__real__"  # behind the name of an alias: the module that it stands before


class Coverage(NamedTuple):
    """What we answer for in another package.

    Args:
        package: Its name.
        version: The version that we stand for; a real package of the same major version serves
            what we do not cover.
        modules: Its modules → ours.
        whole: Modules that we cover entirely, with all below them: nothing real is mixed in.
        stand_ins: Its modules → those of ours that serve names where there is no real one.
        hidden: Its modules → the public names of ours that `import *` does not give there.
        moved: Names that a module which we cover has from one that only the real package has →
            that module.
        distributions: Names under which it is distributed.
    """

    package: str
    version: str
    modules: Mapping[str, str]
    whole: tuple[str, ...] = ()
    stand_ins: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    hidden: Mapping[str, frozenset[str]] = MappingProxyType({})
    moved: Mapping[str, str] = MappingProxyType({})
    distributions: tuple[str, ...] = ()

    def ours(self, module: str) -> tuple[str, ...]:
        """Name our modules that may answer for one of the package's, the foremost first."""
        first = self.modules.get(module)
        return (*([first] if first else []), *self.stand_ins.get(module, ()))

    def is_whole(self, module: str) -> bool:
        """Tell whether a module is covered entirely."""
        return any(module == top or module.startswith(f"{top}.") for top in self.whole)


class _RealSpec(ModuleSpec):
    """The real module behind an alias, as the import system has it beside the alias.

    So each is executed once, while other threads wait, and not remembered if it fails.

    Args:
        fullname: Its name among `sys.modules`.
        finder: Who loads it.
        real: Its own spec, with the name that it has for itself.
    """

    def __init__(self, fullname: str, finder: "AliasFinder", real: ModuleSpec) -> None:
        super().__init__(fullname, finder, origin=real.origin)  # type: ignore[arg-type]  # has all
        self.real = real

    @property
    def parent(self) -> str | None:
        """The package that its relative imports start from."""
        return self.real.parent


class Alias(ModuleType):
    """A module of another package, answered by one of ours.

    Args:
        name: Its name there.
    """

    def __getattr__(self, name: str) -> object:
        finder: AliasFinder = self.__dict__["__loader__"]
        if name == "__all__":
            return finder.exported(self)
        if finder.coverage.ours(f"{self.__name__}.{name}"):
            return importlib.import_module(f"{self.__name__}.{name}")
        text = f"module {self.__name__!r} has no attribute {name!r}"
        if not (name.startswith("__") and name.endswith("__")):
            for module in finder.layers(self, name):
                try:
                    return getattr(module, name)
                except AttributeError:
                    continue
            if not (name.startswith("_") or finder.has_real(self.__name__)):
                text = str(finder.not_covered(f"{self.__name__}.{name}"))
        raise AttributeError(text, name=name, obj=self)

    def __reduce__(self) -> tuple[object, ...]:
        return importlib.import_module, (self.__name__,)  # for those who pickle functions

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self.__getattr__("__all__")})  # type: ignore[misc]  # a list


def _public(module: ModuleType) -> Sequence[str]:
    found: Sequence[str] | None = getattr(module, "__all__", None)
    return found if found is not None else [n for n in vars(module) if not n.startswith("_")]


class AliasFinder:
    """Finds and loads the aliases of one package.

    Args:
        coverage: What we answer for.
    """

    # It needs no base of `importlib.abc`, whose import costs every program some milliseconds.

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage

    def __repr__(self) -> str:
        return f"brickwork.compat for {self.coverage.package} {self.coverage.version}"

    @cached_property
    def version(self) -> str | None:
        """The version of the real package; None if none of our major version is installed."""
        if PathFinder.find_spec(self.coverage.package) is None:
            return None
        from importlib import metadata  # slow to import, and seldom wanted

        for distribution in self.coverage.distributions:
            with contextlib.suppress(metadata.PackageNotFoundError):
                version = metadata.version(distribution)
                if version.split(".")[0] == self.coverage.version.split(".")[0]:
                    return version
        return None

    def has_real(self, module: str) -> bool:
        """Tell whether a real package serves what we lack in a module."""
        return self.version is not None and not self.coverage.is_whole(module)

    def not_covered(self, wanted: str) -> NotCoveredError:
        """Make the error for something that neither we nor the real package have."""
        package, version = self.coverage.package, self.coverage.version
        return NotCoveredError(wanted, package, version, installed=self.version is not None)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find an alias, leave a module to the real package, or say that it is not covered."""
        if fullname.split(".")[0] != self.coverage.package:
            return None
        if fullname.endswith(_REAL):
            real = self._real_spec(fullname.removesuffix(_REAL))
            return _RealSpec(fullname, self, real) if real else None
        covered = fullname in self.coverage.modules
        if covered or (not self.version and fullname in self.coverage.stand_ins):
            spec = ModuleSpec(fullname, self, is_package=True)  # type: ignore[arg-type]  # has all
            real = self._real_spec(fullname)
            spec.submodule_search_locations = list((real and real.submodule_search_locations) or [])
            return spec
        if self.has_real(fullname):
            return None
        raise self.not_covered(fullname)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make an alias, or the real module behind one."""
        if isinstance(spec, _RealSpec):
            return importlib.util.module_from_spec(spec.real)
        return Alias(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Tell an alias who answers for it, forgetting what was set on it; or execute the real."""
        if isinstance(module.__spec__, _RealSpec):
            module.__spec__.real.loader.exec_module(module)  # type: ignore[union-attr]  # it has one
            return
        names = self.coverage.ours(module.__name__)
        # At once: whoever goes through `sys.modules` and asks each for a name must not change it.
        ours = importlib.import_module(names[0])
        for name in [name for name in vars(module) if not name.startswith("__")]:
            if not isinstance(vars(module)[name], ModuleType):  # patched, before a reload
                delattr(module, name)
        module.__doc__ = f"`{module.__name__}`, answered by {', '.join(f'`{n}`' for n in names)}."
        module.__file__ = ours.__file__
        if module.__name__ == self.coverage.package:
            version = self.version or self.coverage.version
            numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
            vars(module).update(__version__=version, version_info=numbers)
        for name, value in list(vars(ours).items()):
            child = f"{module.__name__}.{name}"
            if self.coverage.ours(child) and not isinstance(value, ModuleType):
                importlib.import_module(child)  # now, as later it would take the name's place
                setattr(module, name, value)

    def _real_spec(self, name: str) -> ModuleSpec | None:
        if not self.has_real(name):
            return None
        if name == self.coverage.package:
            return PathFinder.find_spec(name)
        parent = self._real_spec(name.rpartition(".")[0])
        locations = parent.submodule_search_locations if parent else None
        return PathFinder.find_spec(name, list(locations)) if locations else None

    def exported(self, alias: ModuleType) -> list[str]:
        """List the names that `import *` takes from an alias."""
        names = set().union(*(_public(module) for module in self.layers(alias)))
        return sorted(names - self.coverage.hidden.get(alias.__name__, frozenset()))

    def layers(self, alias: ModuleType, wanted: str | None = None) -> Iterator[ModuleType]:
        """Yield where an alias looks for names: our module, then the real one or what stands in.

        Args:
            alias: The alias.
            wanted: The name that is looked for, if it is one.
        """
        name = alias.__name__
        for ours in self.coverage.ours(name):
            if not self.version or ours == self.coverage.modules.get(name):
                yield importlib.import_module(ours)
        if self.version and f"{name}.{wanted}" in self.coverage.moved:
            yield importlib.import_module(self.coverage.moved[f"{name}.{wanted}"])
        spec = self._real_spec(name)
        if spec and (f"{name}{_REAL}" in sys.modules or _may_define(spec, wanted)):
            yield importlib.import_module(f"{name}{_REAL}")


def _may_define(spec: ModuleSpec, name: str | None) -> bool:
    """Tell whether a module that is not executed yet may have a name; None is all of them.

    Code that asks every module there is for a private name must not execute them all.
    """
    if name is None or not name.startswith("_"):
        return True
    code = spec.loader.get_code(spec.name) if isinstance(spec.loader, SourceFileLoader) else None
    return code is not None and name in code.co_names


def install(*coverages: Coverage) -> None:
    """Answer for packages from now on.

    Args:
        *coverages: What we answer for, one for each package; those that are installed stay.

    Raises:
        RuntimeError: If such a package has been imported before, or is answered for already, as of
            another version.
    """
    missing = [coverage for coverage in coverages if not _finders(coverage)]
    packages = {coverage.package for coverage in missing}
    for finder in sys.meta_path:
        if isinstance(finder, AliasFinder) and finder.coverage.package in packages:
            raise RuntimeError(f"there is {finder!r} already; uninstall it first")
    for coverage in missing:
        if coverage.package in sys.modules:
            raise RuntimeError(
                f"{coverage.package} has been imported already, from"
                f" {sys.modules[coverage.package].__spec__!r}; install before anything imports it"
            )
    sys.meta_path[:0] = map(AliasFinder, missing)


def uninstall(*coverages: Coverage) -> None:
    """Answer for packages no longer; what has imported from them keeps what it has.

    Args:
        *coverages: As they were installed.
    """
    for coverage in coverages:
        for finder in _finders(coverage):
            sys.meta_path.remove(finder)
            for name in [n for n in sys.modules if n.split(".")[0] == coverage.package]:
                del sys.modules[name]


def _finders(coverage: Coverage) -> list[AliasFinder]:
    return [f for f in sys.meta_path if isinstance(f, AliasFinder) and f.coverage is coverage]
