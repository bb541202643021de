"""What a load did: loaded, missing, unexpected, of another shape, and what might help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

Shape = tuple[int, ...]


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
    """What was loaded into a model, and what was not.

    Attributes:
        source: File or URI that the tensors come from, if known.
        loaded: Name in the model -> key in the checkpoint.
        missing: Names in the model that the checkpoint does not hold.
        unexpected: Keys (after renaming) that the model has no place for.
        mismatched: Names that both have, with different shapes; these were not loaded.
        adapted: Names whose tensor was reshaped to fit -> what was done.
        kept: Names left as they were, as the checkpoint of an outer module gave them their values.
        errors: What modules themselves complained about while loading.
        loaded_parameters: Elements of the model's parameters that were loaded.
        total_parameters: Elements of all the model's parameters.
        suggestion: A likely way out when few keys match, else ``""``.
    """

    source: str | None = None
    loaded: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[Mismatch, ...] = ()
    adapted: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
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
        """Whether model and checkpoint matched exactly."""
        return not (self.missing or self.unexpected or self.mismatched or self.errors)

    def __str__(self) -> str:
        odd = [m.name for m in self.mismatched]
        model = [*self.loaded, *self.kept, *self.missing, *odd]
        checkpoint = [*self.loaded, *self.kept, *self.unexpected, *odd]
        origin = f" from {self.source}" if self.source else ""
        lines = [] if self.complete else ["The model and loaded state dict do not match exactly"]
        lines += [
            f"loaded {len(self.loaded)} of {len(model)} tensors{origin}: "
            f"{self.loaded_parameters:,} of {self.total_parameters:,} parameters ({self.share:.1%})"
        ]
        for title, entries in (  # in the words of mmcv where it has some: people search logs
            ("missing keys in source state_dict", collapse(self.missing, model)),
            ("unexpected key in source state_dict", collapse(self.unexpected, checkpoint)),
            ("of another shape", [str(m) for m in self.mismatched]),
            ("adapted", [f"{name}: {note}" for name, note in self.adapted.items()]),
            ("kept from an outer module's checkpoint", collapse(self.kept, model)),
            ("errors", list(self.errors)),
        ):
            if entries:
                lines.append(f"  {title}:")
                lines += [f"    {entry}" for entry in entries]
        if self.suggestion:
            lines.append(f"  hint: {self.suggestion}")
        return "\n".join(lines)


def collapse(keys: Collection[str], universe: Iterable[str]) -> list[str]:
    """Say a list of keys by whole subtrees where all of a subtree is in it.

    Args:
        keys: The keys to list.
        universe: All keys that ``keys`` is a part of.

    Returns:
        Lines such as ``head.* (4)`` and ``conv.bias``, in the order of ``keys``.
    """
    inside = Counter(head for key in keys for head in _heads(key))
    outside = Counter(head for key in set(universe) for head in _heads(key))
    lines: dict[str, None] = {}
    for key in keys:
        whole = next((h for h in _heads(key) if 1 < inside[h] == outside[h]), None)
        lines[f"{whole}.* ({inside[whole]})" if whole else key] = None
    return list(lines)


def _heads(key: str) -> list[str]:
    """The prefixes of a dotted key, shortest first, without the key itself."""
    parts = key.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def suggest_renaming(model: Mapping[str, Shape], checkpoint: Mapping[str, Shape]) -> str:
    r"""Find the one exchange of a leading name that makes most keys match.

    Args:
        model: Name -> shape of the model's tensors.
        checkpoint: Key -> shape of the checkpoint's tensors.

    Returns:
        A sentence with the ``revise_keys`` to pass, for example
        ``revise_keys=[(r'^backbone\.', '')] would match 318 of 320 tensors``; ``""`` when no
        exchange matches at least a tenth of the model and more than what matches already.
    """
    best = sum(checkpoint.get(name) == shape for name, shape in model.items())
    rule: tuple[str, str] | None = None
    for old in _common_heads(checkpoint):
        for new in _common_heads(model):
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
            "...): pass a callable or a list of pairs as revise_keys"
        )
    return ""


def _common_heads(keys: Iterable[str], limit: int = 12) -> list[str]:
    """The commonest leading names of one and two parts, with the dot; ``""`` first."""
    counts = Counter(f"{head}." for key in keys for head in _heads(key)[:2])
    return ["", *(head for head, _ in counts.most_common(limit))]
