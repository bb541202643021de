"""Fixtures of all tests: a home of the test's own for the zoo, and groups of processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes import ProcessServer


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the cache of weights, and every setting of the zoo, away from the user's own."""
    home: Path = tmp_path_factory.mktemp("home", numbered=True)
    monkeypatch.setenv("BRICKWORK_HOME", str(home))
    monkeypatch.setenv("TORCH_HOME", str(home / "torch"))
    for name in ("MMCV_HOME", "BRICKWORK_MIRRORS", "BRICKWORK_OFFLINE", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def run_together(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Run a program in several processes of one group: `ProcessServer.run`."""
    server = ProcessServer(tmp_path_factory.mktemp("processes"))
    yield server.run
    server.close()
