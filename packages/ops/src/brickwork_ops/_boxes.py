"""Overlaps of boxes."""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from ._check import check, shape

#: ``'iou'`` divides the intersection by the union, ``'iof'`` by the area of the first box.
OverlapMode: TypeAlias = Literal["iou", "iof"]


def bbox_overlaps(
    bboxes1: Tensor,
    bboxes2: Tensor,
    mode: OverlapMode = "iou",
    aligned: bool = False,
    offset: int = 0,
) -> Tensor:
    """Return the overlaps of two sets of boxes.

    Args:
        bboxes1: Tensor (M, 4) of x1, y1, x2, y2, or empty.
        bboxes2: Tensor (N, 4) of x1, y1, x2, y2, or empty.
        mode: ``'iou'`` for intersection over union, ``'iof'`` for intersection over the area of
            the first box.
        aligned: Whether to compare the boxes pairwise instead of all with all.
        offset: 0, or 1 where x2 and y2 are the last pixels inside.

    Returns:
        Tensor (M, N), or (M,) if `aligned`.

    Raises:
        OperatorInputError: If shapes or arguments do not fit.

    Example:
        >>> boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 20.0]])
        >>> bbox_overlaps(boxes, boxes)
        tensor([[1.0000, 0.5000],
                [0.5000, 1.0000]])
    """
    name = "bbox_overlaps"
    check(mode in ("iou", "iof"), name, f"mode must be 'iou' or 'iof', got {mode!r}")
    check(offset in (0, 1), name, f"offset must be 0 or 1, got {offset!r}")
    for which, boxes in (("bboxes1", bboxes1), ("bboxes2", bboxes2)):
        check(
            boxes.shape[0] == 0 or boxes.shape[-1] == 4,
            name,
            f"{which} must have shape (N, 4), got {shape(boxes)}",
        )
    rows, columns = bboxes1.shape[0], bboxes2.shape[0]
    if aligned:
        check(rows == columns, name, f"aligned boxes must be as many, got {rows} and {columns}")
    if rows == 0 or columns == 0:
        return bboxes1.new_zeros((rows,) if aligned else (rows, columns))
    if not aligned:
        bboxes1 = bboxes1[:, None]
    return overlaps(bboxes1.unbind(-1), bboxes2.unbind(-1), offset, mode)


def overlaps(
    first: tuple[Tensor, ...], second: tuple[Tensor, ...], offset: int, mode: OverlapMode = "iou"
) -> Tensor:
    """Return the overlaps of boxes whose coordinates broadcast.

    The operations and their order are those of mmcv's kernel, so that a comparison of the result
    with a threshold gives the same answer.

    Args:
        first: x1, y1, x2, y2 of the first boxes.
        second: x1, y1, x2, y2 of the second boxes.
        offset: 0, or 1 where x2 and y2 are the last pixels inside.
        mode: See `bbox_overlaps`.
    """
    width = torch.minimum(first[2], second[2]).sub(torch.maximum(first[0], second[0]))
    height = torch.minimum(first[3], second[3]).sub(torch.maximum(first[1], second[1]))
    if offset:
        width, height = width + offset, height + offset
    intersection = width.clamp(min=0) * height.clamp(min=0)
    first_area = area(first, offset)
    if mode == "iof":
        return intersection / first_area
    return intersection / (first_area + area(second, offset) - intersection)


def area(box: tuple[Tensor, ...], offset: int) -> Tensor:
    """Return the areas of boxes given by x1, y1, x2, y2."""
    x1, y1, x2, y2 = box
    return (x2 - x1 + offset) * (y2 - y1 + offset)
