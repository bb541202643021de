"""Print the folder that makes `BRICKWORK_COMPAT` take effect in every program of this Python."""

from pathlib import Path

print(Path(__file__).parent / "site")  # noqa: T201  # a command line
