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

from torch import Tensor, nn

from ._provenance import HISTORIES, Kind, Write, follow_shards
from ._run import Run
from ._running import current_run

if TYPE_CHECKING:
    from rich.table import Table

_log = logging.getLogger(__name__)

_COLUMNS = ("name", "shape", "value from", "over")


@dataclass(frozen=True, slots=True)
class Source:
    """Who gave a tensor a value.

    Args:
        kind: ``'default'`` (the constructor), ``'rule'``, ``'code'`` (an own ``init_weights`` or
            initializer) or ``'loaded'``; ``'unset'`` where there is no value yet.
        by: The rule, the class whose code it was, or the file or URI.
        module: The name of the module whose rule or code it was; empty for the model itself,
            None if it is no part of the model.
        key: The name in the checkpoint.
    """

    kind: str
    by: str
    module: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        if self.kind == "loaded":
            return f"{self.by} [{self.key}]"
        if self.kind in ("default", "unset"):
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
    "code": "by own code",
    "loaded": "loaded",
    "default": "as constructed",
    "unset": "without a value",
}


def init_report(model: nn.Module) -> InitReport:
    """Say where the value of each parameter and buffer of a model came from.

    Args:
        model: The model, or a part of one.

    Returns:
        The report. What nothing is known of has the value that the constructor gave it.
    """
    follow_shards(model)
    return _report(model, current_run())


def _report(model: nn.Module, run: Run | None) -> InitReport:
    names = {id(module): name for name, module in model.named_modules()}

    def source(write: Write) -> Source:
        owner = write.module() if write.module is not None else None
        by = write.by.__name__ if isinstance(write.by, type) else repr(write.by)
        if write.kind is Kind.LOADED:
            return Source("loaded", str(write.by), key=write.key)
        by = (
            f"init_weights of {by}"
            if write.kind is Kind.CODE and isinstance(write.by, type)
            else by
        )
        return Source(write.kind.value, by, names.get(id(owner)))

    def origin(kind: str, name: str, tensor: Tensor) -> Origin:
        writes = HISTORIES.get(tensor) if run is None else run.history(tensor)
        history = tuple(map(source, writes))
        if not (run is not None and run.dry) and tensor.is_meta and not writes:
            history = (Source("unset", "no value"),)
        elif not history or not (run is not None and run.force):
            owner = model.get_submodule(name.rpartition(".")[0])
            history = (Source("default", f"constructor of {type(owner).__name__}"), *history)
        return Origin(name, kind, tuple(tensor.shape), str(tensor.dtype), history)

    parameters = model.named_parameters(remove_duplicate=False)
    buffers = model.named_buffers(remove_duplicate=False)
    return InitReport(
        (
            *(origin("parameter", name, tensor) for name, tensor in parameters),
            *(origin("buffer", name, tensor) for name, tensor in buffers),
        ),
        model,
    )


def log_report(model: nn.Module) -> None:
    """Log where values came from: a line, and at debug level a line for each tensor.

    Args:
        model: The model.
    """
    if not _log.isEnabledFor(logging.INFO):
        return
    report = init_report(model)
    _log.info("initialised %s", report.summary)
    if _log.isEnabledFor(logging.DEBUG):
        for origin in report:
            _log.debug("%s %s: %s", origin.name, origin.shape, origin.source)
