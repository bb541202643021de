"""The models of the catalog: one record each, and a search by name, size and accuracy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from brickwork_zoo.errors import InvalidInputError

from ._catalog import SCHEMES, Row, look_up, table_of
from ._url import normalize_case


@dataclass(frozen=True)
class Model:
    """A model of the catalog.

    Attributes:
        uri: URI to load it by, such as ``torchvision://resnet50.imagenet1k_v2``.
        urls: Candidate URLs of the file, the primary one first.
        sha256: SHA-256 of the file, or its first digits; None if unknown.
        sha256_source: Where the hash comes from: ``"measured"``, ``"reported in <URL>"``, or
            ``"file name"`` if only the file's name states it.
        size: Approximate size of the file in bytes.
        params: Number of parameters.
        flops: Number of multiply-adds of one forward pass.
        metrics: Metrics that the weights reach; ``acc1`` and ``acc5`` are in percent.
        dataset: Dataset on which the metrics were measured.
        architecture: Name of the architecture.
        family: Name of the model family.
        about: Path or URL of the training recipe or configuration.
        aliases: Other names of the model, such as the deprecated ones of OpenMMLab.
    """

    uri: str
    urls: tuple[str, ...]
    sha256: str | None = None
    sha256_source: str | None = None
    size: int | None = None
    params: int | None = None
    flops: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    dataset: str | None = None
    architecture: str = ""
    family: str = ""
    about: str | None = None
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The URI without its scheme."""
        return self.uri.partition("://")[2]


def list_models(
    pattern: str = "",
    *,
    source: str | None = None,
    family: str | None = None,
    max_params: float | None = None,
    max_size: float | None = None,
    min_acc1: float | None = None,
) -> list[Model]:
    """List the models of the catalog that meet all conditions, sorted by URI.

    A model whose value is unknown does not meet a condition on it.

    Args:
        pattern: Part of the URI, or a pattern with ``*`` and ``?`` that the whole name or URI
            has to match.
        source: Scheme of the models, such as ``"torchvision"``.
        family: Start of the family's name, ignoring case and punctuation: ``"mobilenet"`` includes
            ``MobileNet V2``.
        max_params: Maximum number of parameters.
        max_size: Maximum size of the file in bytes.
        min_acc1: Minimum top-1 accuracy in percent.

    Raises:
        InvalidInputError: If `source` is not a scheme of the catalog.
    """
    if source is not None and source not in SCHEMES:
        raise InvalidInputError(
            f"source must be one of {', '.join(SCHEMES)}, got {source!r}", uri=source
        )
    schemes = [source] if source else [scheme for scheme, s in SCHEMES.items() if s.is_listed]

    def fits(model: Model) -> bool:
        acc1 = model.metrics.get("acc1")
        return (
            (family is None or _simplified(model.family).startswith(_simplified(family)))
            and _is_at_most(model.params, max_params)
            and _is_at_most(model.size, max_size)
            and (min_acc1 is None or (acc1 is not None and acc1 >= min_acc1))
            and _matches(model.uri, pattern)
        )

    models = (model for scheme in schemes for model in _models(scheme))
    return sorted(filter(fits, models), key=lambda model: model.uri)


def find_model(uri: str) -> Model:
    """Return the model of a catalog URI such as ``torchvision://resnet50``.

    Raises:
        UnknownModelError: If the catalog does not contain it; the error suggests similar names.
    """
    scheme, _, name = normalize_case(uri).partition("://")
    primary, row = look_up(scheme, name)
    return _model(uri, row, table_of(scheme).aliases_of(primary))


def _models(scheme: str) -> Iterator[Model]:
    table = table_of(scheme)
    rows = {**table.models, **{name: {"urls": [url]} for name, url in table.user.items()}}
    for name, row in rows.items():
        yield _model(f"{scheme}://{name}", row, table.aliases_of(name))


def _model(uri: str, row: Row, aliases: tuple[str, ...]) -> Model:
    facts = {key: value for key, value in row.items() if key != "urls"}
    return Model(uri, tuple(row["urls"]), aliases=aliases, **facts)


def _simplified(family: str) -> str:
    return re.sub(r"[\W_]", "", family).lower()


def _is_at_most(value: float | None, limit: float | None) -> bool:
    return limit is None or (value is not None and value <= limit)


def _matches(uri: str, pattern: str) -> bool:
    uri, pattern = uri.lower(), pattern.lower()
    if any(wildcard in pattern for wildcard in "*?["):
        return fnmatchcase(uri, pattern) or fnmatchcase(uri.partition("://")[2], pattern)
    return pattern in uri
