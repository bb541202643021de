"""Lazy public names of a package, defined by its stub.

The stub `__init__.pyi` beside the `__init__.py` lists the names as plain imports, for type checkers
and readers; here each of them is imported on first use. So `from brickwork.cnn import ConvModule`
does not import the models.
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path


def attach(
    package: str, file: str
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Build the `__getattr__`, `__dir__` and `__all__` of a package from its stub.

    Args:
        package: `__name__` of the package.
        file: `__file__` of the package; the stub is the `.pyi` beside it.

    Returns:
        The three, in this order. `__all__` has no modules, because `import *` must not replace the
        caller's `logging` or `utils`.
    """
    origins: dict[str, tuple[str, str]] = {}  # public name → (module, name there)
    for node in ast.parse(Path(file).with_suffix(".pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            module = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                origins[alias.asname or alias.name] = module, alias.name

    def get(name: str) -> object:
        if name not in origins:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package]
            )
        module, attribute = origins[name]
        if module == package:
            value: object = importlib.import_module(f"{package}.{attribute}")
        else:
            value = getattr(importlib.import_module(module), attribute)
        setattr(sys.modules[package], name, value)  # later uses are plain attributes
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *origins})

    return get, names, sorted(name for name in origins if origins[name][0] != package)
