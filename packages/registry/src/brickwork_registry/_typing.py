"""What the annotations need of `typing`, without its import.

Importing `typing` takes longer than the whole of this package, and a registry is imported by
every program that has anything to configure. Type checkers see the real names.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take this name for true, as they do typing's

if TYPE_CHECKING:
    from typing import Generic as Generic
    from typing import TypeVar as TypeVar
else:

    class Generic:
        """Stand-in for `typing.Generic`: subscripting gives an alias that can be called."""

        __class_getitem__ = classmethod(type(list[int]))

    def TypeVar(name, **_):  # noqa: N802  (takes the place of a class)
        """Stand-in for `typing.TypeVar`."""
        return name
