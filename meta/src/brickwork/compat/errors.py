"""Errors of `brickwork.compat`."""

from collections.abc import Sequence

__all__ = ["NotCoveredError"]


class NotCoveredError(RuntimeError):
    """A placeholder was used: a name of mmcv that nothing in this environment provides.

    Not an ImportError: programs catch those and go on without what they need.

    Args:
        name: Full name of the object, `mmcv.runner.EpochBasedRunner`.
        importers: `FILE:LINE` of the import statements that asked for it, the most relevant first.
        remedy: How to provide it.
    """

    def __init__(self, name: str, importers: Sequence[str], remedy: str) -> None:
        self.name = name
        self.importers = tuple(importers)
        self.remedy = remedy
        where = f" (imported at {importers[0]})" if importers else ""
        super().__init__(
            f"{name}{where} is a placeholder: it can be imported, subclassed and registered, but"
            f" not used. {remedy}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.name, self.importers, self.remedy)
