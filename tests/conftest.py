"""What every test shares: a home of its own for the zoo, and programs in several processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the cache of weights, and every setting of the zoo, away from the person's own."""
    home: Path = tmp_path_factory.mktemp("home", numbered=True)
    monkeypatch.setenv("BRICKWORK_HOME", str(home))
    monkeypatch.setenv("TORCH_HOME", str(home / "torch"))
    for name in ("MMCV_HOME", "BRICKWORK_MIRRORS", "BRICKWORK_OFFLINE", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def run_together(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Run a program in several processes of one world, and return what they print.

    ``run_together(world, program, *args, killed_after=0)``; see `processes.py`, beside this file.
    """
    folder = tmp_path_factory.mktemp("processes")
    output = folder / "output"
    server = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("processes.py")],
        env={**os.environ, "OMP_NUM_THREADS": "1", "BRICKWORK_HOME": str(folder / "home")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    requests, answers = server.stdin, server.stdout
    assert requests
    assert answers

    def run(world: int, program: Path, *args: object, killed_after: int = 0) -> str:
        output.unlink(missing_ok=True)
        request = [world, killed_after, str(output), [str(program), *map(str, args)]]
        requests.write(json.dumps(request) + "\n")
        requests.flush()
        code = int(answers.readline())
        printed = output.read_text()
        assert code == (-signal.SIGKILL if killed_after else 0), printed
        return printed

    yield run
    server.communicate(timeout=60)
