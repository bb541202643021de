"""Commands about what is in a file: inspect, convert. They need torch, and import it when run."""

from __future__ import annotations

from typing import Any


def add_to(commands: Any) -> None:
    """Add the commands."""
