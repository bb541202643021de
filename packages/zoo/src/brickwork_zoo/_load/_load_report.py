"""The report of loading: loaded, missing, unexpected and mismatched tensors, and a suggestion."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

Shape = tuple[int, ...]

_MAX_PREFIX_PARTS = 4  # "module._orig_mod.model." has 3
_MAX_PREFIXES = 24  # number of prefixes to try, the most common first


@dataclass(frozen=True)
class Mismatch:
    """A tensor that has another shape in the checkpoint than in the model."""

    name: str
    model_shape: Shape
    checkpoint_shape: Shape

    def __str__(self) -> str:
        return (
            f"size mismatch for {self.name}: {list(self.checkpoint_shape)} in the checkpoint, "
            f"{list(self.model_shape)} in the model"
        )


@dataclass(frozen=True)
class LoadReport:
    """The report of loading a state dict into a model.

    Attributes:
        source: File or URI of the checkpoint, if known.
        loaded: Name in the model -> key in the checkpoint.
        missing: Names in the model that the checkpoint does not have.
        unexpected: Keys (after renaming) for which the model has no parameter or buffer.
        ignored: Keys of non-persistent buffers; the model computes their values itself.
        mismatched: Tensors whose shapes differ in model and checkpoint; they were not loaded.
        adapted: Name of a tensor that an adapter changed -> its shapes before and after.
        errors: Other errors that modules reported.
        loaded_parameters: Number of elements of the model's parameters that were loaded.
        total_parameters: Number of elements of all parameters of the model.
        suggestion: The ``revise_keys`` that would make more keys match, or ``""``.
    """

    source: str | None = None
    loaded: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    mismatched: tuple[Mismatch, ...] = ()
    adapted: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    loaded_parameters: int = 0
    total_parameters: int = 0
    suggestion: str = ""

    @property
    def share(self) -> float:
        """Share of the model's parameters that were loaded, from 0 to 1."""
        return self.loaded_parameters / self.total_parameters if self.total_parameters else 1.0

    @property
    def complete(self) -> bool:
        """True if model and checkpoint match exactly."""
        return not (self.missing or self.unexpected or self.mismatched or self.errors)

    def __str__(self) -> str:
        mismatched = [m.name for m in self.mismatched]
        model = [*self.loaded, *self.missing, *mismatched]
        checkpoint = [*self.loaded, *self.unexpected, *mismatched]
        origin = f" from {self.source}" if self.source else ""
        lines = [] if self.complete else ["The model and loaded state dict do not match exactly"]
        lines += [
            f"loaded {len(self.loaded)} of {len(model)} tensors{origin}: "
            f"{self.loaded_parameters:,} of {self.total_parameters:,} parameters "
            f"({_percentage(self.share)})"
        ]
        for title, entries in (  # the titles are those of mmcv's log messages, which users search
            ("missing keys in source state_dict", collapse(self.missing, model)),
            ("unexpected key in source state_dict", collapse(self.unexpected, checkpoint)),
            ("mismatched shapes", [str(m) for m in self.mismatched]),
            ("adapted", [f"{name}: {shapes}" for name, shapes in self.adapted.items()]),
            ("errors", list(self.errors)),
        ):
            if entries:
                lines.append(f"  {title}:")
                lines += [f"    {entry}" for entry in entries]
        if self.suggestion:
            lines.append(f"  hint: {self.suggestion}")
        return "\n".join(lines)


def _percentage(share: float) -> str:
    """Return a share as text, rounded down; only 0 becomes "0.0%"."""
    tenths = math.floor(share * 1000)
    return "<0.1%" if share and not tenths else f"{tenths / 10:.1f}%"


def collapse(keys: Collection[str], universe: Iterable[str]) -> list[str]:
    """List keys, with ``prefix.* (count)`` in place of all keys of a complete module.

    Args:
        keys: The keys to list.
        universe: All keys, to decide which prefixes are complete.
    """
    inside = Counter(prefix for key in keys for prefix in _prefixes(key))
    outside = Counter(prefix for key in set(universe) for prefix in _prefixes(key))
    lines: dict[str, None] = {}
    for key in keys:
        common = next(
            (prefix for prefix in _prefixes(key) if 1 < inside[prefix] == outside[prefix]), None
        )
        lines[f"{common}.* ({inside[common]})" if common else key] = None
    return list(lines)


def _prefixes(key: str) -> list[str]:
    """Return the prefixes of a dotted key, shortest first, without the key itself."""
    parts = key.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def suggest_renaming(
    model: Mapping[str, Shape], checkpoint: Mapping[str, Shape], matching: int = 0
) -> str:
    r"""Suggest the replacement of a prefix that makes most keys match.

    Args:
        model: Name -> shape of the model's tensors.
        checkpoint: Key -> shape of the checkpoint's tensors, before ``revise_keys``.
        matching: Number of keys that match already.

    Returns:
        The ``revise_keys`` to pass and their effect, for example
        ``revise_keys=[(r'^backbone\.', '')] would match 318 of 320 tensors``; ``""`` if no
        replacement matches at least a tenth of the model and more than what matches already.
    """
    best = max(matching, sum(checkpoint.get(name) == shape for name, shape in model.items()))
    rule: tuple[str, str] | None = None
    for old in _common_prefixes(checkpoint):
        for new in _common_prefixes(model):
            if old == new:
                continue
            fits = sum(
                model.get(new + key[len(old) :]) == shape
                for key, shape in checkpoint.items()
                if key.startswith(old)
            )
            if fits > best:
                best, rule = fits, (old, new)
    if rule is not None and 10 * best >= len(model):
        pattern = "^" + rule[0].replace(".", r"\.")
        return (
            f"revise_keys=[(r'{pattern}', '{rule[1]}')] would match {best} of {len(model)} tensors"
        )
    if list(model.values()) == list(checkpoint.values()) and model:
        (name, key), *_ = zip(model, checkpoint, strict=True)
        return (
            f"the shapes are the same in the same order under other names ({key!r} -> {name!r}, "
            "...): pass pairs or a callable as revise_keys"
        )
    return ""


def _common_prefixes(keys: Iterable[str]) -> list[str]:
    """Return ``""`` and the most common prefixes, each with its final dot."""
    counts = Counter(f"{prefix}." for key in keys for prefix in _prefixes(key)[:_MAX_PREFIX_PARTS])
    return ["", *(prefix for prefix, _ in counts.most_common(_MAX_PREFIXES))]
