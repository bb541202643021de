"""Imports follow declared dependencies, use public names of siblings and form no cycle."""

import ast
import graphlib
import importlib.metadata
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.repository import DISTRIBUTIONS

# Imported only where an optional feature is used, behind an extra or a check of what is there.
OPTIONAL = {
    "brickwork-init": {"matplotlib", "rich"},
    # mmcv 2.x needs mmengine; pictures are read by whichever library is installed
    "brickwork": {"mmengine", "mmengine-lite", "numpy", "pillow"},
    "brickwork-models": {"numpy", "pillow"},  # images to preprocess
    # urllib3 comes with requests; numpy only where a file holds its arrays
    "brickwork-zoo": {"torch", "fsspec", "rich", "urllib3", "numpy"},
}

# The parts of the zoo along its data flow: each may import itself and those before it.
ZOO_ORDER = (
    "_redact",
    "errors",
    "_settings",
    "_find",
    "_fetch",
    "_formats",
    "_load",
    "_save",
    "_cli",
)


def imports(source: Path, module: str) -> Iterator[tuple[str, int, bool]]:
    """Yield each module that `source` imports, its line, and whether importing `source` does."""
    package = module if source.stem == "__init__" else module.rpartition(".")[0]

    def walk(node: ast.AST, eager: bool) -> Iterator[tuple[str, int, bool]]:
        for child in ast.iter_child_nodes(node):
            inside = eager and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                for statement in child.body:
                    yield from walk(ast.Module([statement], []), False)
                for statement in child.orelse:
                    yield from walk(ast.Module([statement], []), inside)
                continue
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield alias.name, child.lineno, inside
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    stem = package.split(".")[: len(package.split(".")) - child.level + 1]
                    base = ".".join([*stem, *([base] if base else [])])
                for alias in child.names:
                    yield f"{base}.{alias.name}", child.lineno, inside
            yield from walk(child, inside)

    yield from walk(ast.parse(source.read_text()), True)


def module_name(distribution, source: Path) -> str:
    parts = [*source.relative_to(distribution.package.parent).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def owner(module: str, distributions) -> str | None:
    """Return the distribution that `module` belongs to, or None if it is third-party."""
    top = module.split(".")[0]
    return next((d.name for d in distributions.values() if d.import_name == top), None)


@pytest.fixture(scope="module")
def top_level_names() -> dict[str, list[str]]:
    return importlib.metadata.packages_distributions()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_imports_only_declared_dependencies(distribution, distributions, top_level_names):
    declared = {
        re.match(r"[A-Za-z0-9_-]+", requirement).group(0).lower().replace("_", "-")
        for requirement in distribution.project["dependencies"]
    } | {distribution.name}
    optional = OPTIONAL.get(distribution.name, set()) | set(distribution.extra_siblings)
    wrong = []
    for source in distribution.sources():
        for module, line, _ in imports(source, module_name(distribution, source)):
            top = module.split(".")[0]
            if top in sys.stdlib_module_names:
                continue
            owners = {owner(module, distributions) or ""} | {
                name.lower().replace("_", "-") for name in top_level_names.get(top, [top])
            }
            if not owners & (declared | optional):
                wrong.append(f"{source.relative_to(distribution.folder)}:{line} imports {module}")
    assert not wrong, f"{distribution.name} declares {sorted(declared)}, but\n" + "\n".join(wrong)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_no_private_name_of_a_sibling_is_imported(distribution, distributions):
    wrong = []
    for source in distribution.sources():
        for module, line, _ in imports(source, module_name(distribution, source)):
            parts = module.split(".")[1:]
            is_private = any(part.startswith("_") and not part.startswith("__") for part in parts)
            if is_private and owner(module, distributions) not in (None, distribution.name):
                wrong.append(f"{source.relative_to(distribution.folder)}:{line} imports {module}")
    assert not wrong, "only the package itself may use its private modules:\n" + "\n".join(wrong)


def test_dependencies_of_distributions_form_no_cycle(distributions):
    graph = {d.name: {*d.siblings, *d.extra_siblings} for d in distributions.values()}
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError
    assert set(order) == set(distributions)
    assert order[0] == "brickwork-registry"
    assert order[-1] == "brickwork"


def import_graph(distribution) -> dict[str, set[str]]:
    """Map each module to those of its package that it imports, lazily and for types included.

    The front module is left out: it gathers the others, and they take only its version.
    """
    sources = {module_name(distribution, s): s for s in distribution.sources() if s.suffix == ".py"}
    del sources[distribution.import_name]
    graph = {}
    for name, source in sources.items():
        targets = set()
        for imported, _, _ in imports(source, name):
            target = imported
            while target and target not in sources:
                target = target.rpartition(".")[0]
            if target and target != name and not name.startswith(f"{target}."):
                targets.add(target)
        graph[name] = targets
    return graph


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_no_files_of_a_package_form_an_import_cycle(distribution):
    """Imports under TYPE_CHECKING and inside functions count."""
    list(graphlib.TopologicalSorter(import_graph(distribution)).static_order())  # raises CycleError


def test_no_part_of_the_zoo_imports_a_later_one(distributions):
    rank = {part: position for position, part in enumerate(ZOO_ORDER)}
    graph = import_graph(distributions["brickwork-zoo"])
    del graph["brickwork_zoo.__main__"]
    backward = [
        f"{module} imports {target}"
        for module, targets in graph.items()
        for target in sorted(targets)
        if rank[target.split(".")[1]] > rank[module.split(".")[1]]
    ]
    assert not backward, "\n".join(backward)


def test_the_folders_of_the_zoo_hold_only_a_docstring_in_their_init(distributions):
    package = distributions["brickwork-zoo"].package
    for source in package.rglob("*/__init__.py"):
        (statement,) = ast.parse(source.read_text()).body
        assert isinstance(statement, ast.Expr), source
        assert isinstance(ast.literal_eval(statement.value), str), source


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_no_file_imports_from_the_front_module_of_its_package(distribution):
    """Names come from the file that defines them; only the version is defined in the front."""
    folder = distribution.package
    submodules = {path.stem for path in folder.iterdir() if path.is_dir() or path.suffix == ".py"}
    wrong = []
    for source in distribution.sources():
        if source.parent == folder and source.stem == "__init__":
            continue
        for module, line, _ in imports(source, module_name(distribution, source)):
            base, _, name = module.rpartition(".")
            if base == distribution.import_name and name not in submodules | {"__version__"}:
                wrong.append(f"{source.relative_to(distribution.folder)}:{line} imports {module}")
    assert not wrong, "import from the module that defines it:\n" + "\n".join(wrong)


def test_importing_registry_or_zoo_imports_no_heavy_module(distributions):
    """They import without torch; the zoo also without what it needs only for downloads."""
    for name, heavy in {
        "brickwork-registry": {"torch"},
        "brickwork-zoo": {"torch", "requests", "filelock", "tqdm", "safetensors", "rich", "fsspec"},
    }.items():
        distribution = distributions[name]
        front = distribution.package / "__init__.py"
        reached, todo = set(), [module_name(distribution, front)]
        modules = {module_name(distribution, s): s for s in distribution.sources()}
        while todo:
            module = todo.pop()
            if module in reached:
                continue
            reached.add(module)
            for target, line, eager in imports(modules[module], module):
                if not eager:
                    continue
                assert target.split(".")[0] not in heavy, f"{modules[module]}:{line}"
                while target and target not in modules:
                    target = target.rpartition(".")[0]
                if target:
                    todo.append(target)
