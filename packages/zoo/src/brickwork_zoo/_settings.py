"""Settings of the zoo, read again at each call.

An argument overrides the environment, the environment overrides the settings file
(`config.toml`), and that overrides the default.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import InvalidInputError

Mirrors = tuple[tuple[str, str], ...]  # (host or URL prefix, its mirror)


@dataclass(frozen=True)
class Settings:
    """Settings of finding and downloading.

    Attributes:
        home: Folder of the cache; ``BRICKWORK_HOME``, by default ``~/.cache/brickwork``.
        timeout: Seconds without a byte after which an attempt fails; ``BRICKWORK_TIMEOUT``.
        retries: Maximum number of further attempts for each URL; ``BRICKWORK_RETRIES``.
        backoff: Seconds of the first pause, doubled for each further one; ``BRICKWORK_BACKOFF``.
        offline: Make no request; ``BRICKWORK_OFFLINE``.
        mirrors: Pairs of a host or URL prefix and its mirror, which is tried first; an empty
            mirror removes the host; ``BRICKWORK_MIRRORS``, such as
            ``host=other,https://host/a=https://other/b``.
    """

    home: Path
    timeout: float = 30.0
    retries: int = 3
    backoff: float = 1.0
    offline: bool = False
    mirrors: Mirrors = ()

    @classmethod
    def read(cls, **arguments: Any) -> Settings:
        """Return the current settings.

        Args:
            **arguments: Settings by name; None to use the environment.

        Raises:
            InvalidInputError: If a value is invalid; the error names where it came from.
        """
        file, table = _config()
        sources: tuple[tuple[str, Mapping[str, Any]], ...] = (
            ("{name}", arguments),
            ("{variable}", _environment()),
            (f"{{name}} in {file}", table),
        )
        values: dict[str, Any] = {
            "home": _user_folder("XDG_CACHE_HOME", ".cache") or temporary_home()
        }
        for name, (parse, allowed) in _PARSERS.items():
            for where, source in sources:
                value = source.get(name)
                if value is None or value == "":
                    continue
                try:
                    values[name] = parse(value)
                except (ValueError, TypeError) as error:
                    origin = where.format(name=name, variable=_variable(name))
                    raise InvalidInputError(f"{origin} must be {allowed}, got {value!r}") from error
                break
        return cls(**values)


def user_catalog_folders() -> list[Path]:
    """Return the folders that may contain the user's own `open_mmlab.json`, in order."""
    named = [Path(os.environ[v]) for v in ("BRICKWORK_HOME", "MMCV_HOME") if os.environ.get(v)]
    caches = [_user_folder("XDG_CACHE_HOME", ".cache", name) for name in ("brickwork", "mmcv")]
    return [_folder(folder) for folder in (*named, *caches) if folder is not None]


def temporary_home() -> Path:
    """Return the folder to use if the user has no writable home."""
    user = os.getuid() if os.name == "posix" else "files"
    return Path(tempfile.gettempdir()) / f"brickwork-{user}"


def expand_home(path: str | os.PathLike[str]) -> Path:
    """Return a path with ``~`` replaced by the user's home; an unknown user's stays as it is.

    `Path.expanduser` raises for an unknown user and for a name that is too long.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111  see above


def _user_folder(variable: str, default: str, name: str = "brickwork") -> Path | None:
    """Return a folder of the user; None for a user without a home, as in some containers."""
    base = os.environ.get(variable) or str(expand_home(f"~/{default}"))
    return None if base.startswith("~") else Path(base) / name


def _config() -> tuple[Path, Mapping[str, Any]]:
    home = os.environ.get("BRICKWORK_HOME")
    folder = _folder(home) if home else _user_folder("XDG_CONFIG_HOME", ".config")
    if folder is None:
        return Path("config.toml"), {}
    file = folder / "config.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return file, {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{file} is not valid TOML: {error}", uri=str(file)) from error
    unknown = sorted(set(table) - set(_PARSERS))
    if unknown:
        raise InvalidInputError(
            f"unknown setting in {file}: {', '.join(unknown)}; known settings: "
            f"{', '.join(_PARSERS)}",
            uri=str(file),
        )
    return file, table


def _variable(name: str) -> str:
    return f"BRICKWORK_{name.upper()}"


def _environment() -> Mapping[str, str]:
    return {n: os.environ[_variable(n)] for n in _PARSERS if _variable(n) in os.environ}


def _folder(value: str | os.PathLike[str]) -> Path:
    return expand_home(value).absolute()


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 < seconds < float("inf"):
        raise ValueError(seconds)
    return seconds


def _pause(value: Any) -> float:
    return 0.0 if float(value) == 0 else _seconds(value)


def _count(value: Any) -> int:
    count = int(value)
    if count < 0 or count != float(value):
        raise ValueError(count)
    return count


_WORDS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(
    ("0", "false", "no", "off"), False
)


def _switch(value: Any) -> bool:
    try:
        return _WORDS[str(value).strip().lower()]
    except KeyError:
        raise ValueError(value) from None


def _mirrors(value: Any) -> Mirrors:
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.replace(",", " ").split()]
        if not all(sign and source for source, sign, _ in pairs):
            raise ValueError(value)
        return tuple((source, target) for source, _, target in pairs)
    if isinstance(value, Mapping):
        lists = {s: [t] if isinstance(t, str) else list(t) for s, t in value.items()}
        value = [(source, target) for source, targets in lists.items() for target in targets]
    return tuple((str(source), str(target)) for source, target in value)


_PARSERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "home": (_folder, "the path of a folder"),
    "timeout": (_seconds, "a positive number of seconds"),
    "retries": (_count, "an integer of 0 or more"),
    "backoff": (_pause, "a number of seconds, 0 or more"),
    "offline": (_switch, "1 or 0, true or false, yes or no, on or off"),
    "mirrors": (_mirrors, "pairs of a host and its mirror, such as 'host=mirror,other=its.mirror'"),
}
