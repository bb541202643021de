"""Comparable versions, and the commit of a checkout."""

import re
import subprocess

__all__ = ["digit_version", "get_git_hash", "parse_version_info"]

# PEP 440: release, then one of pre-release, post-release and development release
_VERSION = re.compile(
    r"v?(?:\d+!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<phase>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?P<pre>\d*))?"
    r"(?:-(?P<bare>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post>\d*))?"
    r"(?P<dev>[-_.]?dev[-_.]?\d*)?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
    re.IGNORECASE,
)
_PHASES = {"a": -3, "alpha": -3, "b": -2, "beta": -2, "rc": -1, "c": -1, "pre": -1, "preview": -1}


def digit_version(version_str: str, length: int = 4) -> tuple[int, ...]:
    """Return a version as a tuple of integers that compares like the version.

    Args:
        version_str: Version according to PEP 440.
        length: Number of components of the release to keep.

    Returns:
        `length` components of the release, then two that order development, alpha, beta and
        candidate releases before the release itself, and post-releases after it.

    Raises:
        ValueError: If it is not a version.
    """
    match = _VERSION.fullmatch(version_str.strip())
    if not match:
        raise ValueError(
            f"{version_str!r} is not a version; expected one like '1.7.2' or '2.0.0rc1'"
        )
    release = [int(number) for number in match["release"].split(".")][:length]
    release += [0] * (length - len(release))
    if match["phase"]:
        return (*release, _PHASES[match["phase"].lower()], int(match["pre"] or 0))
    if match["dev"]:
        return (*release, -4, 0)
    if match["post"] is not None or match["bare"]:
        return (*release, 1, int(match["bare"] or match["post"] or 0))
    return (*release, 0, 0)


def parse_version_info(version_str: str, length: int = 4) -> tuple[int | str, ...]:
    """Return the parts of a version.

    Args:
        version_str: A version as PEP 440 has it.
        length: How many numbers of the release to return.

    Returns:
        `length` numbers of the release, then the phase and its number: `(2, 0, 0, 0, "rc", 1)`, or
        `(1, 3, 0, 0, 0, 0)` for a final release.

    Raises:
        ValueError: If it is not a version.
    """
    release = digit_version(version_str, length)[:length]
    match = _VERSION.fullmatch(version_str.strip())
    if match and match["phase"]:
        phase = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
        return (
            *release,
            phase.get(match["phase"].lower(), match["phase"].lower()),
            int(match["pre"] or 0),
        )
    if match and (match["post"] is not None or match["bare"]):
        return (*release, "post", int(match["bare"] or match["post"] or 0))
    return (*release, 0, 0)


def get_git_hash(fallback: str = "unknown", digits: int | None = None) -> str:
    """Return the commit of the checkout in the current folder.

    Args:
        fallback: Result outside a checkout or without git.
        digits: Number of digits; all by default.

    Raises:
        TypeError: If `digits` is not an int.
    """
    if digits is not None and not isinstance(digits, int):
        raise TypeError(f"digits must be None or an int, got {digits!r}")
    try:
        result = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return fallback
    return result.stdout.strip()[:digits]
