"""Outputs, gradients, indices and seeded weights equal those of mmcv 1.7.2's compiled operators."""

import brickwork_ops
import numpy as np
import pytest
import torch

from tests.ops.reference.cases import CASES

# Sums in another order; coordinates are computed in the same way.
TOLERANCE = {np.dtype("float64"): 1e-10, np.dtype("float32"): 1e-5}


@pytest.mark.parametrize("case", CASES)
def test_results_equal_those_of_mmcv(case, stored_results):
    expected = stored_results[case]
    actual = CASES[case](brickwork_ops)
    assert actual.keys() == expected.keys()
    for part, value in expected.items():
        ours = actual[part].numpy()
        assert ours.dtype == value.dtype, part
        assert ours.shape == value.shape, part
        tolerance = TOLERANCE.get(value.dtype)
        if tolerance is None or part.startswith("state.") or part == "kept":
            np.testing.assert_array_equal(ours, value, err_msg=part)
        else:
            scale = max(1.0, float(np.abs(value).max(initial=0)))
            np.testing.assert_allclose(ours, value, rtol=0, atol=tolerance * scale, err_msg=part)


def test_results_do_not_depend_on_gradients_being_recorded():
    x, weight = torch.rand(1, 4, 5, 5), torch.rand(4, 4, 3, 3)
    offset = torch.rand(1, 18, 5, 5)
    with torch.no_grad():
        without = brickwork_ops.deform_conv2d(x, offset, weight, padding=1)
    recorded = brickwork_ops.deform_conv2d(x.requires_grad_(), offset, weight, padding=1)
    assert torch.equal(without, recorded)
