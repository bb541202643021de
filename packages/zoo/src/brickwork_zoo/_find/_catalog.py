"""The catalog: model names by URI scheme, and the files behind them.

It is JSON in the package (`data/`), written by `catalog/make_catalog.py` of the repository. The
user's own `open_mmlab.json` adds to the names of OpenMMLab and overrides them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from brickwork_zoo.errors import UnknownModelError

from ._filename import safe_filename
from ._resource import Resource
from ._url import last_component
from ._user_catalog import user_models

Row = Mapping[str, Any]
"""A row of the catalog: the fields of `Model` without its URI."""


@dataclass(frozen=True)
class Source:
    """The list of models behind a scheme.

    Attributes:
        file: Name of the data file, without its extension.
        prefix: Key prefix to load from such a checkpoint; empty for all keys.
        is_extensible: Whether the user's `open_mmlab.json` adds to it.
        is_listed: Whether `list_models` lists it; the others are alternative spellings.
    """

    file: str
    prefix: str = ""
    is_extensible: bool = False
    is_listed: bool = True


SCHEMES: Mapping[str, Source] = {
    "mmcls": Source("mmcls", prefix="backbone."),
    "mmpretrain": Source("mmpretrain"),
    "modelzoo": Source("torchvision", is_listed=False),
    "open-mmlab": Source("open_mmlab", is_extensible=True),
    "openmmlab": Source("open_mmlab", is_extensible=True, is_listed=False),
    "torchvision": Source("torchvision"),
}


@dataclass(frozen=True)
class Table:
    """The models of one scheme.

    Attributes:
        models: Name -> row.
        aliases: Other name -> name in `models`.
        user: Names that the user has added -> URL or path.
    """

    models: Mapping[str, Row]
    aliases: Mapping[str, str]
    user: Mapping[str, str]

    def names(self) -> list[str]:
        """List all names, aliases and the user's included."""
        return list(dict.fromkeys([*self.models, *self.user, *self.aliases]))

    def aliases_of(self, name: str) -> tuple[str, ...]:
        """Return the other names of a model."""
        return tuple(alias for alias, primary in self.aliases.items() if primary == name)


def table_of(scheme: str) -> Table:
    """Return the models of a scheme of the catalog, with the user's own."""
    source = SCHEMES[scheme]
    data = _shipped(source.file)
    user = user_models() if source.is_extensible else {}
    models = {name: row for name, row in data["models"].items() if name not in user}
    aliases = {alias: name for alias, name in data.get("aliases", {}).items() if alias not in user}
    return Table(models, aliases, user)


@cache
def _shipped(file: str) -> Mapping[str, Any]:
    text = files("brickwork_zoo").joinpath("data", f"{file}.json").read_text(encoding="utf-8")
    data: Mapping[str, Any] = json.loads(text)
    return data


def look_up(scheme: str, name: str) -> tuple[str, Row]:
    """Return the primary name and the row of a model.

    Raises:
        UnknownModelError: If the catalog does not have the scheme or the name.
    """
    if scheme not in SCHEMES:
        uris = uris_named(name)
        raise UnknownModelError(
            f"the catalog has no scheme {scheme!r}; "
            + (f"did you mean {' or '.join(uris)}? " if uris else "")
            + f"its schemes: {', '.join(SCHEMES)}",
            uri=f"{scheme}://{name}",
        )
    table = table_of(scheme)
    primary = table.aliases.get(name, name)
    if primary in table.user:
        return primary, {"urls": [table.user[primary]]}
    if primary in table.models:
        return primary, table.models[primary]
    names = table.names()
    close = nearest(name, names)
    raise UnknownModelError(
        f"unknown model {scheme}://{name}; "
        + (f"did you mean {' or '.join(map(repr, close))}? " if close else "")
        + f"`brickwork-zoo list --source {scheme}` lists all {len(names)} names",
        uri=f"{scheme}://{name}",
    )


def resolve(scheme: str, uri: str) -> Resource | str:
    """Return the resource of a catalog URI, or the URL or path if the name is user-defined."""
    name = uri.partition("://")[2]
    primary, row = look_up(scheme, name)
    table = table_of(scheme)
    if primary in table.user:
        return table.user[primary]
    urls = tuple(row["urls"])
    return Resource(
        uri,
        urls,
        safe_filename(last_component(urls[0])),
        sha256=row.get("sha256"),
        sha256_source=row.get("sha256_source"),
        size=row.get("size"),
        prefix=SCHEMES[scheme].prefix,
    )


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return up to three names that are similar to `name`, ignoring case."""
    by_lower = {known.lower(): known for known in names}
    wanted = name.lower()
    close = get_close_matches(wanted, by_lower, n=3)
    if not close and wanted:
        close = [lower for lower in by_lower if wanted in lower][:3]
    return [by_lower[lower] for lower in close]


def uris_named(name: str) -> list[str]:
    """Return the URIs of the models with exactly this name, in all schemes."""
    return [
        f"{scheme}://{name}"
        for scheme, source in SCHEMES.items()
        if source.is_listed and name in table_of(scheme).names()
    ]


def suggest_uri(name: str) -> str:
    """Return a question such as "did you mean torchvision://resnet50?" for a bare name, or ''."""
    uris = {
        known: f"{scheme}://{known}"
        for scheme, source in SCHEMES.items()  # a name in several is suggested from the last
        if source.is_listed
        for known in table_of(scheme).names()
    }
    if name in uris:
        return f"did you mean {uris[name]}?"
    close = nearest(name, uris) if re.fullmatch(r"[\w-]+", name) else []  # otherwise a path
    return f"did you mean {' or '.join(uris[known] for known in close)}?" if close else ""
