"""One generation of mmcv, 1.x or 2.x, as a folder of ordinary modules.

Each module of the folder imports what brickwork provides and has a `__getattr__` for the rest of
mmcv's names. Where an mmcv of the same generation is installed behind the folder, its submodules
are found through `__path__`, and serve those names; its `__init__` modules are never run, as they
would import everything else. A name that nothing provides is a placeholder.
"""

import functools
import importlib
import importlib.util
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from ._folder import VERSION_VARIABLE
from ._placeholder import placeholder

T = TypeVar("T")


class Generation:
    """The names and the version of one generation of mmcv, and where each name comes from.

    Args:
        folder: Goes on `sys.path`; holds the package `mmcv` and `names.json`.
        version: The version that is reported unless another is set.
        elsewhere: Prefix of full names → modules of other packages that have such objects, in the
            order in which they are tried; the longest prefix holds.
        shadowed: Modules that are looked up in an installed mmcv for the names that ours lacks. The
            others would register their classes twice. Modules of `mmcv.ops` are looked up if it
            has compiled operators.
        remedies: Prefix of full names → how to provide them; the longest prefix holds.
    """

    def __init__(
        self,
        folder: Path,
        version: str,
        *,
        elsewhere: Mapping[str, Sequence[str]],
        shadowed: Sequence[str],
        remedies: Mapping[str, str],
    ) -> None:
        self.folder = folder
        self.default_version = version
        self.elsewhere = elsewhere
        self.shadowed = frozenset(shadowed)
        self.remedies = remedies
        self._lock = threading.RLock()
        self._installed_modules: dict[str, ModuleType] = {}

    @functools.cached_property
    def names(self) -> dict[str, dict[str, str]]:
        """Module of mmcv → public name → the module that defines it."""
        table = json.loads((self.folder / "names.json").read_text(encoding="utf-8"))
        return {
            module: {name: origin for origin, names in rows.items() for name in names.split()}
            for module, rows in table["modules"].items()
        }

    @functools.cached_property
    def installed(self) -> tuple[Path, str] | None:
        """Folder and version of the installed mmcv of this generation; None without one."""
        ours = str(self.folder)
        spec = PathFinder.find_spec("mmcv", [entry for entry in sys.path if entry != ours])
        if spec is None or spec.origin is None:
            return None
        package = Path(spec.origin).parent
        match = re.search(r"__version__ = '(.+?)'", (package / "version.py").read_text("utf-8"))
        if not match or match[1].split(".")[0] != self.default_version.split(".")[0]:
            return None
        return package, match[1]

    @property
    def version(self) -> str:
        """The version that `mmcv.__version__` reports."""
        installed = self.installed[1] if self.installed else self.default_version
        return os.environ.get(VERSION_VARIABLE) or installed

    @property
    def version_info(self) -> tuple[int, ...]:
        """The first three numbers of the version."""
        return tuple(map(int, re.findall(r"\d+", self.version)[:3]))

    def path(self, package: str) -> list[str]:
        """Return the `__path__` of a package: our folder, then that of an installed mmcv."""
        below = package.split(".")[1:]
        folders = [self.folder / "mmcv"]
        if self.installed:
            folders.append(self.installed[0])
        return [str(folder.joinpath(*below)) for folder in folders]

    def attributes(self, module: str) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
        """Return the `__getattr__` and `__dir__` of a module."""

        def get(name: str) -> object:
            return self.find(module, name)

        def names() -> list[str]:
            return sorted({*vars(sys.modules[module]), *self.names[module]})

        return get, names

    def find(self, module: str, name: str) -> object:
        """Return an object of mmcv that the module of ours does not define.

        Args:
            module: The module that is asked.
            name: A name, a submodule, or `__all__`.

        Returns:
            The object of an installed mmcv, of another package, or a placeholder.

        Raises:
            AttributeError: If mmcv has no such name.
        """
        if name == "__all__" and self.is_package(module):
            return sorted(self.names[module])
        if name in self.names[module]:
            return self._resolve(module, name, self.names[module][name])
        if f"{module}.{name}" in self.names:
            return importlib.import_module(f"{module}.{name}")
        raise AttributeError(
            f"module {module!r} has no attribute {name!r}", name=name, obj=sys.modules.get(module)
        )

    def import_installed(self, package: str) -> None:
        """Import the submodules whose names a package of an installed mmcv offers.

        They register hooks, runners and the like, which configs name.
        """
        if self.installed:
            for origin in dict.fromkeys(self.names[package].values()):
                importlib.import_module(origin)

    def keep_functions(self, package: str) -> None:
        """Keep the functions of a package when submodules of their names are imported.

        `import mmcv.ops.nms` sets `mmcv.ops.nms` to the module, where mmcv has the function.
        """
        module = sys.modules[package]
        vars(module)["_names"] = self.names[package]
        module.__class__ = Package

    def is_package(self, module: str) -> bool:
        """Return whether a module of mmcv has submodules."""
        return any(other.startswith(f"{module}.") for other in self.names)

    def _resolve(self, module: str, name: str, origin: str) -> object:
        if origin != module:
            home = importlib.import_module(origin)
            is_complete = not getattr(home.__spec__, "_initializing", False)
            if hasattr(home, name) or not is_complete:  # Python reports the import cycle
                return getattr(home, name)
        full_name = f"{origin}.{name}"
        remedy = _longest_prefix(self.remedies, full_name) or ""
        for provider in _longest_prefix(self.elsewhere, full_name) or ():
            try:
                return getattr(importlib.import_module(provider), name)
            except ImportError:  # not installed
                continue
            except AttributeError as error:  # brickwork-ops says which library has it
                remedy = f"{error}. {remedy}" if hasattr(error, "provider") else remedy
        if origin in self.shadowed or (origin.startswith("mmcv.ops.") and self._is_compiled):
            behind = self._installed_module(origin)
            if hasattr(behind, name):
                return getattr(behind, name)
        return placeholder(origin, name, remedy)

    @functools.cached_property
    def _is_compiled(self) -> bool:
        """Whether the installed mmcv has compiled operators."""
        return bool(self.installed and PathFinder.find_spec("mmcv._ext", [str(self.installed[0])]))

    def _installed_module(self, module: str) -> ModuleType | None:
        """Return the module of the installed mmcv that one of ours stands in front of.

        It is not among `sys.modules`, and bears its own name, so that what it defines pickles by
        the name under which our module finds it again.
        """
        if self.installed is None:
            return None
        path = self.installed[0].joinpath(*module.split(".")[1:]).with_suffix(".py")
        with self._lock:
            if module not in self._installed_modules and path.is_file():
                spec = importlib.util.spec_from_file_location(module, path)
                assert spec
                assert spec.loader
                behind = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(behind)
                self._installed_modules[module] = behind
            return self._installed_modules.get(module)


class Package(ModuleType):
    """A module whose names are not replaced by its submodules."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in vars(self).get("_names", ())):
            super().__setattr__(name, value)


def _longest_prefix(table: Mapping[str, T], name: str) -> T | None:
    """Return the value of the longest key that a name begins with; None if there is none."""
    prefixes = [prefix for prefix in table if name.startswith(prefix)]
    return table[max(prefixes, key=len)] if prefixes else None
