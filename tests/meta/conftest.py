"""Programs in fresh interpreters, which is where `brickwork.compat` takes effect."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def run_python() -> Callable[..., str]:
    """Run Python with a command line, and variables of the environment; return what it prints."""

    def run(*command: str | Path, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture(scope="session")
def after_mmcv(run_python: Callable[..., str]) -> Callable[..., str]:
    """Run code after `brickwork.compat.mmcv.install()`."""
    return lambda code, **environment: run_python("-c", _installed("mmcv", code), **environment)


@pytest.fixture(scope="session")
def after_mmengine(run_python: Callable[..., str]) -> Callable[..., str]:
    """Run code after `brickwork.compat.mmengine.install()`."""
    return lambda code, **environment: run_python("-c", _installed("mmengine", code), **environment)


def _installed(generation: str, code: str) -> str:
    install = f"import brickwork.compat.{generation} as compat\ncompat.install()\n"
    return install + textwrap.dedent(code)
