"""Where the value of each parameter and buffer of a model came from."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from ._records import Slot, Sources, recorded, slots_below

if TYPE_CHECKING:
    from rich.table import Table

_log = logging.getLogger(__name__)

_COLUMNS = ("name", "shape", "value from", "over")


@dataclass(frozen=True, slots=True)
class Source:
    """Who gave a tensor a value.

    Args:
        kind: ``'default'`` (the constructor), ``'rule'``, ``'code'`` (a user-defined
            ``init_weights``) or ``'loaded'``; ``'uninitialized'`` where there is no value yet.
        by: The rule, the code, or the file or URI.
        module: The name of the module whose rule or code it was; empty for the model itself,
            None if it is not part of the model.
        key: The name in the checkpoint.
    """

    kind: str
    by: str
    module: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        if self.kind == "loaded":
            return f"{self.by} [{self.key}]"
        if self.kind in ("default", "uninitialized"):
            return self.by
        where = "an outer module" if self.module is None else self.module or "the model"
        return f"{self.by} of {where}"


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of one parameter or buffer.

    Args:
        name: Its dotted name.
        kind: ``'parameter'`` or ``'buffer'``.
        shape: Its shape, the whole one if it is sharded.
        dtype: Its type, as torch names it.
        history: Who gave it a value, in order; the last is the one it has.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    dtype: str
    history: tuple[Source, ...]

    @property
    def source(self) -> Source:
        """Who gave it the value that it has."""
        return self.history[-1]


class InitReport:
    """Where each value of a model came from; prints as a table.

    Args:
        origins: A row for each parameter and buffer.
        model: The model, for `plot`.
    """

    def __init__(self, origins: tuple[Origin, ...], model: nn.Module) -> None:
        self.origins = origins
        self._model = model

    def __getitem__(self, name: str) -> Origin:
        """Return the row of a parameter or buffer by its dotted name."""
        for origin in self.origins:
            if origin.name == name:
                return origin
        raise KeyError(f"{type(self._model).__name__} has no parameter or buffer {name!r}")

    def __iter__(self) -> Iterator[Origin]:
        return iter(self.origins)

    def __len__(self) -> int:
        return len(self.origins)

    @property
    def summary(self) -> str:
        """One line: how many values came from where."""
        counts = Counter(_SUMMARY[origin.source.kind] for origin in self.origins)
        files = {origin.source.by for origin in self.origins if origin.source.kind == "loaded"}
        parts = ", ".join(f"{counts[what]} {what}" for what in _SUMMARY.values() if counts[what])
        loaded = f" ({', '.join(sorted(files))})" if files else ""
        return f"{type(self._model).__name__}: {len(self)} tensors, {parts or 'none'}{loaded}"

    def to_dict(self) -> dict[str, Any]:
        """Return the rows by name, made of plain types."""
        return {
            origin.name: {
                "kind": origin.kind,
                "shape": list(origin.shape),
                "dtype": origin.dtype,
                "history": [asdict(source) for source in origin.history],
            }
            for origin in self.origins
        }

    def to_json(self, **options: Any) -> str:
        """Return the rows as JSON.

        Args:
            **options: Those of `json.dumps`, for example ``indent``.
        """
        return json.dumps(self.to_dict(), **options)

    def plot(self, path: str | Path) -> Path:
        """Draw a histogram of each parameter's values; needs the extra ``plot``.

        Args:
            path: Where to write the picture, in the format of its suffix.

        Returns:
            `path`.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        from ._plot import plot_histograms  # matplotlib is an extra

        kinds = {origin.name: origin.source.kind for origin in self}
        return plot_histograms(self._model, kinds, self.summary, Path(path))

    def _rows(self) -> Iterator[tuple[str, str, str, str]]:
        for origin in self.origins:
            shape = "x".join(map(str, origin.shape)) or "scalar"
            over = [str(one) for one in origin.history[:-1] if one.kind != "default"]
            yield origin.name, shape, str(origin.source), ", ".join(reversed(over))

    def __str__(self) -> str:
        if sys.stdout is not None and sys.stdout.isatty():
            try:
                from rich.console import Console  # an extra, and slow to import
            except ImportError:
                pass
            else:
                console = Console()
                with console.capture() as capture:
                    console.print(self.__rich__())
                return capture.get()
        rows = [_COLUMNS, *self._rows()]
        widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, self.summary])

    def __rich__(self) -> Table:
        from rich.table import Table  # an extra, and slow to import

        table = Table(*_COLUMNS, caption=self.summary)
        for row in self._rows():
            table.add_row(*row)
        return table

    def __repr__(self) -> str:
        return f"<InitReport of {self.summary}>"


_SUMMARY = {
    "rule": "by rules",
    "code": "by user code",
    "loaded": "loaded",
    "default": "as constructed",
    "uninitialized": "uninitialized",
}


def init_report(model: nn.Module) -> InitReport:
    """Return where the value of each parameter and buffer of a model came from.

    Args:
        model: The model, or a part of one.

    Returns:
        The report. A tensor without a record has the value that the constructor gave it.
    """
    # By tensor: so tied tensors, and originals of parametrizations, have one history.
    records = {
        id(tensor): (path, sources)
        for path, module in model.named_modules(remove_duplicate=False)
        for tensor, sources in recorded(module)
    }
    slots = list(slots_below(model))
    parameters = [slot for slot in slots if slot.is_parameter]
    buffers = [slot for slot in slots if not slot.is_parameter]
    origins = [
        _origin(slot, *records.get(id(slot.tensor), ("", ()))) for slot in parameters + buffers
    ]
    return InitReport(tuple(origins), model)


def _origin(slot: Slot, path: str, sources: Sources) -> Origin:
    """Return the row of a slot, whose record is kept by the module `path`."""
    history = tuple(_source(path, *source) for source in sources)
    if not history and slot.tensor.is_meta:
        history = (Source("uninitialized", "no value"),)
    else:
        constructor = f"constructor of {type(slot.module).__name__}"
        history = (Source("default", constructor), *history)
    kind = "parameter" if slot.is_parameter else "buffer"
    return Origin(slot.dotted, kind, tuple(slot.tensor.shape), str(slot.tensor.dtype), history)


def _source(path: str, kind: str, text: str, detail: str | int | None) -> Source:
    if isinstance(detail, str):
        return Source(kind, text, key=detail)
    above = path.split(".") if path else []
    if detail is None or not 0 <= detail <= len(above):
        return Source(kind, text)
    return Source(kind, text, ".".join(above[: len(above) - detail]))


def log_report(model: nn.Module) -> None:
    """Log where values came from: a line, and at debug level a line for each tensor.

    Args:
        model: The model.
    """
    if not _log.isEnabledFor(logging.INFO):
        return
    report = init_report(model)
    _log.info("initialized %s", report.summary)
    if _log.isEnabledFor(logging.DEBUG):
        for origin in report:
            _log.debug("%s %s: %s", origin.name, origin.shape, origin.source)
