"""What somebody who misspelt a name may have meant."""

from __future__ import annotations

from difflib import SequenceMatcher

from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_CLOSE = 0.6  # difflib's own default for a close match
_AS_GOOD = 0.08  # how far behind the best a match may be and still be named
_AT_MOST = 3


def closest(name: str, names: Iterable[str]) -> list[str]:
    """Find the names most like one that is not among them.

    Args:
        name: The name as it was given.
        names: The names that there are.

    Returns:
        At most three, the best first; empty if none is close. Case counts for little.
    """
    matcher = SequenceMatcher(b=name.lower())
    rated = []
    for known in dict.fromkeys(names):
        matcher.set_seq1(known.lower())
        if matcher.quick_ratio() >= _CLOSE and (ratio := matcher.ratio()) >= _CLOSE:
            rated.append((ratio, known))
    rated.sort(key=lambda pair: -pair[0])  # stable: among equals, the order given
    return [known for ratio, known in rated[:_AT_MOST] if ratio >= rated[0][0] - _AS_GOOD]


def suggest(name: str, names: Iterable[str]) -> str:
    """Ask whether a close name was meant, for the end of an error message.

    Args:
        name: The name as it was given.
        names: The names that there are.

    Returns:
        ``"did you mean 'Conv2d'?"``, with up to three names if they are about as close, or
        ``""`` if none is close.

    Example:
        >>> suggest('conv2D', ['Conv1d', 'Conv2d'])
        "did you mean 'Conv2d'?"
    """
    found = [repr(one) for one in closest(name, names)]
    if not found:
        return ""
    return f"did you mean {' or '.join(filter(None, [', '.join(found[:-1]), found[-1]]))}?"
