"""Where a file of ``torch.save`` keeps its pickle and its tensors' bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Pickled:
    """A file that ``torch.save`` wrote.

    Attributes:
        path: The file.
        kind: ``"zip"`` or ``"legacy"``.
        pickle_start: Where the main pickle begins.
        records: Storage key -> (first byte, length); for a legacy file empty, as it comes last.
        big_endian: Whether numbers are stored most significant byte first.
    """

    path: Path
    kind: str
    pickle_start: int
    records: dict[str, tuple[int, int]] = field(default_factory=dict)
    big_endian: bool = False
