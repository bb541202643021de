"""The catalogue: names of models, and where their weights are.

It is JSON in the package (`data/`), made by `catalog/make_catalog.py` in the repository. A user's
own `open_mmlab.json` is laid over the names of OpenMMLab and wins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from brickwork_zoo._settings import expanded, user_catalog_folders
from brickwork_zoo.errors import InvalidInputError, UnknownModelError

from ._filename import safe_filename
from ._resource import Resource
from ._url import canonical, last_component

_USER_FILES = ("open-mmlab.json", "open_mmlab.json")  # of a name in both the latter's place holds


@dataclass(frozen=True)
class Source:
    """Where the names that follow one scheme are listed.

    Attributes:
        file: The file of rows in the package, without its ending.
        subtree: The part of such a checkpoint that is meant.
        extended: Whether a user's `open_mmlab.json` adds to it.
        listed: Whether it is the scheme under which its models are listed; others are spellings.
    """

    file: str
    subtree: str = ""
    extended: bool = False
    listed: bool = True


SCHEMES: Mapping[str, Source] = {
    "mmcls": Source("mmcls", subtree="backbone."),
    "mmpretrain": Source("mmpretrain"),
    "modelzoo": Source("torchvision", listed=False),
    "open-mmlab": Source("open_mmlab", extended=True),
    "openmmlab": Source("open_mmlab", extended=True, listed=False),
    "torchvision": Source("torchvision"),
}


@dataclass(frozen=True)
class Model:
    """One row of the catalogue.

    Attributes:
        uri: What to ask for, as in ``torchvision://resnet50.imagenet1k_v2``.
        urls: The file's places, the primary one first.
        sha256: The file's SHA-256 or its beginning, None where unknown.
        size: Bytes, about.
        params: Number of parameters.
        flops: Multiply-adds of one forward pass.
        metrics: What the weights reach; ``acc1`` and ``acc5`` are per cent.
        dataset: What the metrics were measured on.
        architecture: The network's name.
        family: The name of its kind.
        about: Where its makers tell of it.
    """

    uri: str
    urls: tuple[str, ...]
    sha256: str | None = None
    size: int | None = None
    params: int | None = None
    flops: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    dataset: str | None = None
    architecture: str = ""
    family: str = ""
    about: str | None = None


def list_models(
    pattern: str = "",
    *,
    source: str | None = None,
    family: str | None = None,
    max_params: float | None = None,
    max_size: float | None = None,
    min_acc1: float | None = None,
) -> list[Model]:
    """List what the catalogue has, sorted by URI.

    Args:
        pattern: Part of the URI, or a pattern with ``*`` and ``?`` that a name has to match.
        source: Only names of this scheme, as in ``"torchvision"``.
        family: Only families whose names begin so, whatever the case and the signs between words:
            ``"mobilenet"`` takes ``MobileNet V2`` in.
        max_params: Only models with at most so many parameters.
        max_size: Only files of at most so many bytes.
        min_acc1: Only models that reach at least this accuracy, in per cent.

    Returns:
        The rows that meet every condition; one of which the figure is unknown does not meet it.

    Raises:
        InvalidInputError: If no catalogue has that source.
    """
    if source is not None and source not in SCHEMES:
        raise InvalidInputError(
            f"there is no source {source!r}; there are {', '.join(SCHEMES)}", uri=source
        )
    chosen = [source] if source else [scheme for scheme, s in SCHEMES.items() if s.listed]
    limits = (("params", max_params), ("size", max_size))

    def fits(model: Model) -> bool:
        if family is not None and not _plain(model.family).startswith(_plain(family)):
            return False
        for name, most in limits:
            value = getattr(model, name)
            if most is not None and (value is None or value > most):
                return False
        reached = model.metrics.get("acc1")
        if min_acc1 is not None and (reached is None or reached < min_acc1):
            return False
        return _matches(model.uri, pattern)

    found = (model for scheme in chosen for model in _models(scheme))
    return sorted(filter(fits, found), key=lambda model: model.uri)


def find_model(uri: str) -> Model:
    """Return the catalogue's row for a URI such as ``torchvision://resnet50``.

    Raises:
        UnknownModelError: If there is none; the error names what is close.
    """
    scheme, _, name = canonical(uri).partition("://")
    return _as_model(uri, _look_up(scheme, name)[1])


def resolve(scheme: str, uri: str) -> Resource | str:
    """Resolve a URI of a scheme of the catalogue; a user's own row stands for what it says."""
    name, row = _look_up(scheme, uri.partition("://")[2])
    if row.get("own"):
        return str(row["urls"][0])
    model = _as_model(f"{scheme}://{name}", row)
    return Resource(
        uri,
        model.urls,
        safe_filename(last_component(model.urls[0])),
        sha256=model.sha256,
        size=model.size,
        subtree=SCHEMES[scheme].subtree,
    )


def urls(scheme: str) -> dict[str, str]:
    """Map each name of a scheme, aliases that are no deprecated names included, to its URL."""
    table = _table(scheme)
    found = {name: _first(row) for name, row in table.models.items()}
    if scheme in ("torchvision", "modelzoo"):
        found |= {alias: _first(table.models[name]) for alias, name in table.aliases.items()}
    return dict(sorted(found.items()))


def deprecated_names(scheme: str = "open-mmlab") -> dict[str, str]:
    """Map the old names of a scheme to those that replace them."""
    return dict(_table(scheme).aliases)


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return up to three of some names that are like one, in any case of letters."""
    known = {n.lower(): n for n in names}
    wanted = name.lower()
    close = get_close_matches(wanted, known, n=3)
    return [known[n] for n in close or [n for n in known if wanted and wanted in n][:3]]


def hint(name: str) -> str:
    """Say which URI somebody may have meant who wrote a bare name."""
    uris = {
        known: f"{scheme}://{known}"
        for scheme, source in SCHEMES.items()  # of a name in several the last one's holds
        if source.listed
        for known in (*_table(scheme).models, *_table(scheme).aliases)
    }
    if name in uris:
        return f"did you mean {uris[name]}?"
    close = nearest(name, uris) if re.fullmatch(r"[\w-]+", name) else []  # else it is a path
    return f"did you mean {' or '.join(uris[n] for n in close)}?" if close else ""


@dataclass(frozen=True)
class _Table:
    models: Mapping[str, Mapping[str, Any]]
    aliases: Mapping[str, str]


@cache
def _shipped(file: str) -> _Table:
    text = files("brickwork_zoo").joinpath("data", f"{file}.json").read_text(encoding="utf-8")
    data = json.loads(text)
    return _Table(data["models"], data.get("aliases", {}))


def _table(scheme: str) -> _Table:
    source = SCHEMES[scheme]
    table = _shipped(source.file)
    if not source.extended:
        return table
    own = dict(_user_rows())
    aliases = {alias: name for alias, name in table.aliases.items() if alias not in own}
    return _Table({**table.models, **own}, aliases)


def _user_rows() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the rows of the user's own files, of the first folder that has any."""
    for folder in user_catalog_folders():
        files = [folder / name for name in _USER_FILES if (folder / name).is_file()]
        for file in files:
            yield from _rows_in(file)
        if files:
            return


def _rows_in(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(table, dict):
            raise TypeError(f"it holds a {type(table).__name__}")
        for name, place in table.items():
            if not isinstance(place, str):
                raise TypeError(f"{name!r} stands for a {type(place).__name__}")
            if "://" not in place:
                place = str(file.parent / expanded(place))
            yield name, {"urls": [place], "own": True}
    except (ValueError, TypeError, OSError) as error:
        raise InvalidInputError(
            f"cannot read {file}: {error}; it must map names to URLs, or to paths relative to "
            f"{file.parent}",
            uri=str(file),
        ) from error


def _look_up(scheme: str, name: str) -> tuple[str, Mapping[str, Any]]:
    if scheme not in SCHEMES:
        raise UnknownModelError(
            f"{scheme}:// is not in the catalogue, which has {', '.join(SCHEMES)}", uri=scheme
        )
    table = _table(scheme)
    known = table.aliases.get(name, name)
    try:
        return known, table.models[known]
    except KeyError:
        names = [*table.models, *table.aliases]
        close = nearest(name, names)
        meant = f"did you mean {' or '.join(repr(n) for n in close)}? " if close else ""
        raise UnknownModelError(
            f"there is no {scheme}://{name}: {meant}`brickwork-zoo list` has all {len(names)}",
            uri=f"{scheme}://{name}",
        ) from None


def _models(scheme: str) -> Iterator[Model]:
    for name, row in _table(scheme).models.items():
        yield _as_model(f"{scheme}://{name}", row)


def _as_model(uri: str, row: Mapping[str, Any]) -> Model:
    facts = {key: value for key, value in row.items() if key not in ("urls", "own")}
    return Model(uri, tuple(row["urls"]), **facts)


def _plain(family: str) -> str:
    return re.sub(r"[\W_]", "", family).lower()


def _first(row: Mapping[str, Any]) -> str:
    return str(row["urls"][0])


def _matches(uri: str, pattern: str) -> bool:
    uri, pattern = uri.lower(), pattern.lower()
    if any(sign in pattern for sign in "*?["):
        return fnmatchcase(uri, pattern) or fnmatchcase(uri.partition("://")[2], pattern)
    return pattern in uri
