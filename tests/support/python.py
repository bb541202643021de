"""Fresh interpreters, for what a running one cannot show: imports, exits, environment variables."""

import os
import subprocess
import sys
from pathlib import Path

TIMEOUT = 300  # seconds


def python_result(
    *arguments: object, cwd: Path | None = None, timeout: float = TIMEOUT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python and return its exit code and output, whatever they are.

    Args:
        *arguments: Command line after the interpreter, such as ``"-c", code``.
        cwd: Folder to run in.
        timeout: Seconds after which the run fails the test.
        **environment: Variables in addition to those of the tests.
    """
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )


def run_python(
    *arguments: object, cwd: Path | None = None, timeout: float = TIMEOUT, **environment: str
) -> str:
    """Run Python, require exit code 0 and return the stripped standard output."""
    result = python_result(*arguments, cwd=cwd, timeout=timeout, **environment)
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout.strip()
