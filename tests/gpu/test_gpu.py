"""The checks of `checks.py`, on a GPU if there is one, else as a rehearsal on the CPU."""

import pytest
import torch

from tests.gpu.checks import CHECKS

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_check_passes(check):
    check(DEVICE)
