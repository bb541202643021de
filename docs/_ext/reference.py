"""What autodoc leaves open: lists of names, the registries' contents, and the house's docstrings.

``names`` lists the public names of a package; ``registries`` writes an entry for every registry
among them, with a table of what is in it; ``shared-options`` describes arguments that many classes
share. Bases are shown as the nearest class that can be imported. What a docstring names without its
module is looked for in its package.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from typing import Any

import torch
from brickwork_registry import Registry
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective


def public_name(found: object) -> str | None:
    """Return the name by which something is imported, or None if it is private."""
    module, name = getattr(found, "__module__", ""), getattr(found, "__qualname__", "")
    for path in (module.partition(".")[0], "torch.nn", module):
        if getattr(sys.modules.get(path), name, None) is found and "._" not in f"{path}.{name}":
            return f"{path}.{name}"
    return None


class Names(SphinxDirective):
    """List the public names of the package named by the argument, each a link."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        package = importlib.import_module(self.arguments[0])
        self.env.note_dependency(__file__)
        names = [name for name in package.__all__ if not name.startswith("_")]
        kinds = {
            "functions": [n for n in names if inspect.isfunction(getattr(package, n))],
            "classes": [n for n in names if inspect.isclass(getattr(package, n))],
            "registries": [n for n in names if isinstance(getattr(package, n), Registry)],
        }
        lines = [f".. py:currentmodule:: {package.__name__}", ""]
        for kind, found in kinds.items():
            links = " · ".join(f":py:obj:`{name}`" for name in sorted(found, key=str.lower))
            lines += [f"**{kind}**: {links}", ""] if found else []
        return self.parse_text_to_nodes("\n".join(lines))


class Registries(SphinxDirective):
    """Describe every registry that the package named by the argument exports."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        package = importlib.import_module(self.arguments[0])
        self.env.note_dependency(__file__)
        lines = [f".. py:currentmodule:: {package.__name__}", ""]
        for name in package.__all__:
            registry = getattr(package, name)
            if isinstance(registry, Registry):
                lines += self.entry(name, registry)
        return self.parse_text_to_nodes("\n".join(lines))

    def entry(self, name: str, registry: Registry[Any]) -> list[str]:
        """Return the lines of one registry, in reStructuredText."""
        names: dict[int, list[str]] = {}
        entries = {key: registry.get(key) for key in registry}
        objects = {id(entry): entry for entry in entries.values()}
        for key, entry in entries.items():
            names.setdefault(id(entry), []).append(f"``{key}``")
        lines = [f".. py:data:: {name}", "", f"   The registry ``{registry.name!r}``"]
        if not objects:
            return [*lines[:-1], f"{lines[-1]}, empty at first.", ""]
        lines = [*lines[:-1], f"{lines[-1]}:", "", "   .. list-table::", ""]
        for key, found in objects.items():
            path = public_name(found)
            target = f":py:obj:`{path}`" if path and path.startswith("brickwork") else f"``{path}``"
            shown = target if path else f"``{getattr(found, '__qualname__', found)}``"
            lines += [f"      * - {', '.join(names[key])}", f"        - {shown}"]
        return [*lines, ""]


class Options(SphinxDirective):
    """Describe the classes ``...Options`` of the package named by the argument.

    They are private, but other docstrings send the reader to them for arguments that many share.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        private = f"{importlib.import_module(self.arguments[0]).__name__}._"
        paths = {
            f"{found.__module__}.{found.__qualname__}"
            for name, module in list(sys.modules.items())
            if name.startswith(private)
            for found in vars(module).values()
            if inspect.isclass(found) and found.__name__.endswith("Options")
        }
        lines = [f".. autoclass:: {path}\n" for path in sorted(paths) if path.startswith(private)]
        return self.parse_text_to_nodes("\n".join(lines))


def show_public_bases(
    app: Sphinx, name: str, obj: type, options: object, bases: list[type]
) -> None:
    """Replace a base that nobody can import by its own nearest bases that can be."""
    shown: list[type] = []
    todo = list(bases)
    while todo:
        base = todo.pop(0)
        base = getattr(base, "__origin__", base)  # Entries of Entries[T]
        if public_name(base) or base.__module__ in ("builtins", "typing"):
            shown += [base] if base not in shown else []
        else:
            todo = [*base.__bases__, *todo]
    bases[:] = [base for base in shown if base is not object] or [object]


def keep_prose_whole(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Keep napoleon from reading what stands before a colon as a type: signatures have those."""
    first = [0] if what in ("attribute", "property") else []
    after = [i for i, line in enumerate(lines, 1) if line.strip() in ("Returns:", "Yields:")]
    for i in (*first, *after):
        text = lines[i].lstrip()
        lines[i] = f"{lines[i].removesuffix(text)}: {text}"


def find_by_bare_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element
) -> nodes.Element | None:
    """Resolve what a docstring names without its module; an attribute leads to its class."""
    if node.get("refdomain") != "py":
        return None
    domain = env.domains["py"]
    package = str(node.get("py:module")).partition(".")[0]
    for target in (node["reftarget"], node["reftarget"].rpartition(".")[0]):
        matches = domain.find_obj(env, None, None, target, None, 1) if target else []
        names = [name for name, _ in matches if name.partition(".")[0] == package]
        if names:
            name = min(names, key=len)
            return domain.resolve_xref(
                env, node["refdoc"], app.builder, "obj", name, node, contnode
            )
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    torch.nn  # noqa: B018  # `public_name` looks it up among the imported modules
    app.add_directive("names", Names)
    app.add_directive("registries", Registries)
    app.add_directive("shared-options", Options)
    app.connect("autodoc-process-bases", show_public_bases)
    app.connect("autodoc-process-docstring", keep_prose_whole, priority=400)  # before napoleon
    app.connect("missing-reference", find_by_bare_name)
    return {"parallel_read_safe": True}
