"""The positions of the pickle and the tensor bytes in a file of ``torch.save``."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._data_file import DataFile


@dataclass(frozen=True)
class TorchLayout:
    """The layout of a file that ``torch.save`` wrote.

    Attributes:
        file: The file.
        kind: ``"zip"`` or ``"legacy"``.
        pickle_start: Position of the main pickle.
        records: Storage key -> (first byte, length); empty for a legacy file, whose storages
            follow the pickle.
        big_endian: Whether the byte order of the numbers is big-endian.
    """

    file: DataFile
    kind: str
    pickle_start: int
    records: dict[str, tuple[int, int]] = field(default_factory=dict)
    big_endian: bool = False
