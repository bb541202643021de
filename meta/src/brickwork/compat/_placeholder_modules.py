"""Modules of mmcv that consist of placeholders, because nothing here has them."""

from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from ._generation import Generation, Package


class PlaceholderFinder:
    """Finds and loads the modules of a generation of mmcv that no other finder has.

    Args:
        generation: The generation; its table lists the modules.
    """

    def __init__(self, generation: Generation) -> None:
        self.generation = generation

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module that is in the table; None for any other."""
        if not fullname.startswith("mmcv.") or fullname not in self.generation.names:
            return None
        is_package = self.generation.is_package(fullname)
        return ModuleSpec(fullname, self, is_package=is_package)  # type: ignore[arg-type]  # has all

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return an empty module whose names come from the generation."""
        return _PlaceholderModule(spec.name, self.generation)

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module empty."""


class _PlaceholderModule(Package):
    """A module that has none of its names itself.

    Args:
        name: Its name.
        generation: Where the names come from.
    """

    def __init__(self, name: str, generation: Generation) -> None:
        super().__init__(name, f"Names of `{name}` that nothing here provides.")
        self._get, self._dir = generation.attributes(name)
        self._names = generation.names[name]

    def __getattr__(self, name: str) -> object:
        return self._get(name)

    def __dir__(self) -> list[str]:
        return self._dir()
