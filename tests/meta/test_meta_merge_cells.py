"""Merge cells of `mmcv.ops.merge_cells`."""

import pytest
import torch
from brickwork.ops.merge_cells import BaseMergeCell, ConcatCell, GlobalPoolingCell, SumCell
from torch.nn import functional as F

SMALL, LARGE = torch.rand(2, 4, 4, 4), torch.rand(2, 4, 8, 8)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (SumCell, lambda a, b: a + b),
        (ConcatCell, lambda a, b: torch.cat([a, b], dim=1)),
        (GlobalPoolingCell, lambda a, b: b + b.mean((2, 3), keepdim=True).sigmoid() * a),
    ],
)
def test_cells_merge_by_their_formula(cell, expected):
    merge = cell(4, 4, with_out_conv=False)
    upsampled = SMALL.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(merge(SMALL, LARGE), expected(upsampled, LARGE))
    pooled = F.max_pool2d(LARGE, 2)
    torch.testing.assert_close(merge(SMALL, LARGE, (4, 4)), expected(SMALL, pooled))


def test_keys_are_those_of_mmcv():
    cell = ConcatCell(4, 6, with_input1_conv=True)
    shapes = {key: tuple(value.shape) for key, value in cell.state_dict().items()}
    assert shapes == {
        "out_conv.conv.weight": (6, 8, 3, 3),
        "out_conv.conv.bias": (6,),
        "input1_conv.conv.weight": (6, 6, 3, 3),
        "input1_conv.conv.bias": (6,),
    }


def test_sizes_that_do_not_divide_are_padded_before_pooling():
    cell = SumCell(4, 4, with_out_conv=False)
    odd = torch.rand(1, 4, 5, 7)
    padded = F.pad(odd, (0, 1, 1, 2))  # to 8 x 8, the odd pixel right and below
    zeros = torch.zeros(1, 4, 4, 4)
    torch.testing.assert_close(cell(odd, zeros, (4, 4)), F.max_pool2d(padded, 2))


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="upsample_mode must be nearest or bilinear, got 'area'"):
        SumCell(4, 4, upsample_mode="area")
    with pytest.raises(NotImplementedError, match="BaseMergeCell must define _binary_op"):
        BaseMergeCell(4, 4)(SMALL, SMALL)
