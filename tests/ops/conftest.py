"""Results of mmcv's compiled operators."""

from pathlib import Path

import numpy as np
import pytest

STORED = Path(__file__).parent / "reference" / "mmcv_ops_1_7_2.npz"


@pytest.fixture(scope="session")
def stored_results() -> dict[str, dict[str, np.ndarray]]:
    """Return the results of mmcv 1.7.2, by case and part."""
    results: dict[str, dict[str, np.ndarray]] = {}
    with np.load(STORED) as file:
        for key in file.files:
            case, _, part = key.rpartition(":")
            results.setdefault(case, {})[part] = file[key]
    return results
