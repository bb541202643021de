"""What every test shares: a home of its own for the zoo, away from the person's settings."""

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
