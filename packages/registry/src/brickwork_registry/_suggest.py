"""Suggestions for misspelled names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

_MIN_RATIO = 0.6  # difflib's own cutoff for a close match
_TOLERANCE = 0.08  # a match may be this much worse than the best and still be suggested
_MAX_SUGGESTIONS = 3


def closest(name: str, names: Iterable[str]) -> list[str]:
    """Return at most three names similar to a misspelled one, the best first; case is ignored."""
    matcher = SequenceMatcher(b=name.lower())
    rated = []
    for valid in dict.fromkeys(names):
        matcher.set_seq1(valid.lower())
        if matcher.quick_ratio() >= _MIN_RATIO and (ratio := matcher.ratio()) >= _MIN_RATIO:
            rated.append((ratio, valid))
    rated.sort(key=lambda pair: -pair[0])  # stable: equal ratios keep their order
    return [valid for ratio, valid in rated[:_MAX_SUGGESTIONS] if ratio >= rated[0][0] - _TOLERANCE]


def suggest(name: str, names: Iterable[str]) -> str:
    """Return a suggestion for a misspelled name, for the end of an error message.

    Args:
        name: The misspelled name.
        names: The valid names.

    Returns:
        ``"did you mean 'Conv2d'?"``, with up to three names of similar quality, or ``""`` if
        none is close.

    Example:
        >>> suggest('conv2D', ['Conv1d', 'Conv2d'])
        "did you mean 'Conv2d'?"
    """
    names = [repr(match) for match in closest(name, names)]
    if not names:
        return ""
    *others, last = names
    return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"
