"""Write the table of mmcv's public names from its source code, without running it.

    python tests/meta/upstream_names.py mmcv-1.7.2 meta/src/brickwork/compat/mmcv1/names.json

The table maps each module to the modules that define its public names:
`{"mmcv.runner": {"mmcv.runner.hooks.hook": "HOOKS Hook", ...}, ...}`.
"""

import argparse
import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

IMPORTED_PRIVATE_NAMES = {"mmcv.image.geometric._scale_size"}  # by mmdet 3.x


class Sources:
    """The modules of a package, parsed.

    Args:
        root: Folder of the package.
    """

    def __init__(self, root: Path) -> None:
        self.package = root.name
        self.trees: dict[str, ast.Module] = {}
        self.packages: set[str] = set()
        self._origins: dict[str, dict[str, str]] = {}
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root.parent).with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
                self.packages.add(".".join(parts))
            self.trees[".".join(parts)] = ast.parse(path.read_text(encoding="utf-8"))

    def origins(self, module: str) -> dict[str, str]:
        """Return each name of a module and the module of the package that defines it."""
        if module not in self._origins:
            self._origins[module] = {}  # for import cycles
            names = self._origins[module]
            for node in statements(self.trees[module].body):
                if isinstance(node, ast.ImportFrom):
                    self._follow(module, node, names)
                else:
                    names.update(dict.fromkeys(defined(node), module))
        return self._origins[module]

    def exported(self, module: str) -> list[str]:
        """Return `__all__`; the longest, where it depends on what is installed."""
        longest: list[str] = []
        for node in statements(self.trees[module].body):
            if isinstance(node, ast.Assign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(
                    isinstance(target, ast.Name) and target.id == "__all__" for target in targets
                ):
                    constants = (
                        part for part in ast.walk(node.value) if isinstance(part, ast.Constant)
                    )
                    names = [part.value for part in constants if isinstance(part.value, str)]
                    if isinstance(node, ast.AugAssign):
                        names = longest + names
                    longest = max(longest, names, key=len)
        return longest

    def _follow(self, module: str, node: ast.ImportFrom, names: dict[str, str]) -> None:
        source = node.module or ""
        if node.level:
            parts = module.split(".")
            parts = parts[: len(parts) - node.level + (module in self.packages)]
            source = ".".join([*parts, *([source] if source else [])])
        if source not in self.trees:  # of another package: mmcv 2.x passes on names of mmengine
            if source.split(".")[0] == "mmengine":
                names.update({alias.asname or alias.name: source for alias in node.names})
            return
        available = self.origins(source)
        for alias in node.names:
            if alias.name == "*":
                public = self.exported(source) or [n for n in available if not n.startswith("_")]
                names.update({name: available[name] for name in public if name in available})
            elif alias.name in available:
                names[alias.asname or alias.name] = available[alias.name]


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those below `if`, `try` and `with` included."""
    for node in body:
        yield node
        for field in ("body", "orelse", "handlers", "finalbody"):
            if isinstance(node, ast.If | ast.Try | ast.With):
                for child in getattr(node, field, []):
                    yield from statements(child.body if hasattr(child, "type") else [child])


def defined(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    yield part.id


def table(sources: Sources) -> dict[str, dict[str, str]]:
    """Return module → defining module → names, separated by spaces."""
    rows: dict[str, dict[str, str]] = {}
    for module in sources.trees:
        grouped = defaultdict(list)
        exported = sources.exported(module)
        is_facade = module in sources.packages and exported
        for name, origin in sources.origins(module).items():
            is_public = name in exported or not (is_facade or name.startswith("_"))
            if is_public or f"{module}.{name}" in IMPORTED_PRIVATE_NAMES:
                grouped[origin].append(name)
        rows[module] = {origin: " ".join(sorted(grouped[origin])) for origin in sorted(grouped)}
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", type=Path, help="folder that holds the package `mmcv`")
    parser.add_argument("table", type=Path)
    arguments = parser.parse_args()
    version_file = arguments.sources / "mmcv" / "version.py"
    version = re.search(r"__version__ = '(.+?)'", version_file.read_text())[1]
    record = {"version": version, "modules": table(Sources(arguments.sources / "mmcv"))}
    arguments.table.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
