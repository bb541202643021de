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

from ._records import Slot, recorded, slots_below

if TYPE_CHECKING:
    from rich.table import Table

_log = logging.getLogger(__name__)

_COLUMNS = ("name", "shape", "value from")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from.

    Args:
        kind: ``'default'`` (the constructor), ``'rule'``, ``'code'`` (a user-defined
            ``init_weights``) or ``'loaded'``; ``'uninitialized'`` where there is no value yet.
        by: The rule, the code, or the file or URI.
        module: Name of the module whose rule or code it was; empty for the model itself, None for
            a module outside of it.
        key: Key in the checkpoint.
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
    """The row of one parameter or buffer.

    Args:
        name: Its dotted name.
        kind: ``'parameter'`` or ``'buffer'``.
        shape: Its shape, the global one if it is sharded.
        dtype: Its dtype, as torch names it.
        source: Where its value came from.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    dtype: str
    source: Source


class InitReport:
    """Table of where each value of a model came from.

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
        """Number of values from each kind of source, in one line."""
        counts = Counter(_SUMMARY[origin.source.kind] for origin in self.origins)
        files = {origin.source.by for origin in self.origins if origin.source.kind == "loaded"}
        parts = ", ".join(f"{counts[what]} {what}" for what in _SUMMARY.values() if counts[what])
        loaded = f" ({', '.join(sorted(files))})" if files else ""
        return f"{type(self._model).__name__}: {len(self)} tensors, {parts or 'none'}{loaded}"

    def to_dict(self) -> dict[str, Any]:
        """Return the rows by name, as built-in types."""
        return {origin.name: {**asdict(origin), "shape": list(origin.shape)} for origin in self}

    def to_json(self, **options: Any) -> str:
        """Return the rows as JSON; `options` are those of `json.dumps`, such as ``indent``."""
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

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        for origin in self.origins:
            shape = "x".join(map(str, origin.shape)) or "scalar"
            yield origin.name, shape, str(origin.source)

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
    # By tensor: tied tensors, and originals of parametrizations, are found by each of their names.
    sources = {
        id(tensor): _source(path, *source)
        for path, module in model.named_modules(remove_duplicate=False)
        for tensor, source in recorded(module)
    }

    def origin(slot: Slot) -> Origin:
        tensor, source = slot.tensor, sources.get(id(slot.tensor))
        if source is None and tensor.is_meta:
            source = Source("uninitialized", "no value")
        elif source is None:
            source = Source("default", f"constructor of {type(slot.module).__name__}")
        kind = "parameter" if slot.is_parameter else "buffer"
        return Origin(slot.dotted, kind, tuple(tensor.shape), str(tensor.dtype), source)

    return InitReport(tuple(map(origin, slots_below(model))), model)


def _source(path: str, kind: str, text: str, detail: str | int | None) -> Source:
    """Return the source of a slot of the module `path`."""
    if isinstance(detail, str):
        return Source(kind, text, key=detail)
    above = path.split(".") if path else []
    if detail is None or not 0 <= detail <= len(above):
        return Source(kind, text)
    return Source(kind, text, ".".join(above[: len(above) - detail]))


def log_report(model: nn.Module) -> None:
    """Log where values came from: one line, and at debug level one for each tensor."""
    if not _log.isEnabledFor(logging.INFO):
        return
    report = init_report(model)
    _log.info("initialized %s", report.summary)
    if _log.isEnabledFor(logging.DEBUG):
        for origin in report:
            _log.debug("%s %s: %s", origin.name, origin.shape, origin.source)
