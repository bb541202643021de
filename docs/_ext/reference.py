"""Directives for the reference: lists of names, contents of registries, shared options.

``names`` lists the public names of a package; ``registries`` documents every registry among them
with a table of its contents; ``shared-options`` documents arguments that several classes share.
A private base class is shown as its nearest public base. A name without a module in a docstring is
looked up in the docstring's package.
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


def public_name(value: object) -> str | None:
    """Return the name by which an object is imported, or None if it is private."""
    module, name = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
    for path in (module.partition(".")[0], "torch.nn", module):
        if getattr(sys.modules.get(path), name, None) is value and "._" not in f"{path}.{name}":
            return f"{path}.{name}"
    return None


class Names(SphinxDirective):
    """List of links to the public names of the package in the argument."""

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
        for kind, members in kinds.items():
            links = " · ".join(f":py:obj:`{name}`" for name in sorted(members, key=str.lower))
            lines += [f"**{kind}**: {links}", ""] if members else []
        return self.parse_text_to_nodes("\n".join(lines))


class Registries(SphinxDirective):
    """Entries of the registries that the package in the argument exports."""

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
            return [*lines[:-1], f"{lines[-1]}, initially empty.", ""]
        lines = [*lines[:-1], f"{lines[-1]}:", "", "   .. list-table::", ""]
        for key, value in objects.items():
            path = public_name(value)
            target = f":py:obj:`{path}`" if path and path.startswith("brickwork") else f"``{path}``"
            text = target if path else f"``{getattr(value, '__qualname__', value)}``"
            lines += [f"      * - {', '.join(names[key])}", f"        - {text}"]
        return [*lines, ""]


class Options(SphinxDirective):
    """Entries of the classes ``...Options`` of the package in the argument.

    They are private, but docstrings refer to them for shared arguments.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        private = f"{importlib.import_module(self.arguments[0]).__name__}._"
        paths = {
            f"{value.__module__}.{value.__qualname__}"
            for name, module in list(sys.modules.items())
            if name.startswith(private)
            for value in vars(module).values()
            if inspect.isclass(value) and value.__name__.endswith("Options")
        }
        lines = [f".. autoclass:: {path}\n" for path in sorted(paths) if path.startswith(private)]
        return self.parse_text_to_nodes("\n".join(lines))


def show_public_bases(
    app: Sphinx, name: str, obj: type, options: object, bases: list[type]
) -> None:
    """Replace private bases by their nearest public bases."""
    public: list[type] = []
    todo = list(bases)
    while todo:
        base = todo.pop(0)
        base = getattr(base, "__origin__", base)  # Registry of Registry[T]
        if public_name(base) or base.__module__ in ("builtins", "typing"):
            public += [base] if base not in public else []
        else:
            todo = [*base.__bases__, *todo]
    bases[:] = [base for base in public if base is not object] or [object]


def keep_prose_whole(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Prevent napoleon from reading text before a colon as a type; signatures have the types."""
    first = [0] if what in ("attribute", "property") else []
    after = [i for i, line in enumerate(lines, 1) if line.strip() in ("Returns:", "Yields:")]
    for i in (*first, *after):
        text = lines[i].lstrip()
        lines[i] = f"{lines[i].removesuffix(text)}: {text}"


def find_by_bare_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element
) -> nodes.Element | None:
    """Resolve a name without its module; an attribute leads to its class."""
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
