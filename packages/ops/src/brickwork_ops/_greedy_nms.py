"""Greedy non-maximum suppression without a loop over boxes.

A box is kept unless a kept box of a higher score overlaps it. Within a block of boxes that rule is
solved as a fixed point: start with all boxes kept, drop those that a kept box overlaps, repeat
until nothing changes. Each pass settles at least the first box that is not settled yet, and in
practice a handful of passes settles all. Blocks are taken from the front of a list that shrinks,
as the kept boxes of a block remove what they overlap from the rest.
"""

import torch
from torch import Tensor

from ._boxes import area

BLOCK = 256  # boxes whose mutual overlaps are computed at once
_STEP = 32  # sizes of groups are rounded up to a multiple of this
_PAIRS = 2**18  # overlaps computed at once; they fit into a cache


def keep_in_order(boxes: Tensor, threshold: float, offset: int) -> Tensor:
    """Return which boxes survive.

    Args:
        boxes: Tensor (N, 4), by descending score.
        threshold: Boxes that overlap more than this are suppressed.
        offset: 0, or 1 where x2 and y2 are the last pixels inside.

    Returns:
        Boolean tensor (N,).
    """
    keep = torch.zeros(boxes.shape[0], dtype=torch.bool, device=boxes.device)
    alive = torch.arange(boxes.shape[0], device=boxes.device)
    while alive.shape[0] > 0:
        block, rest = alive[:BLOCK], alive[BLOCK:]
        kept = block[_settle(_exceeds(boxes[block], boxes[block], threshold, offset))]
        keep[kept] = True
        suppressed = torch.zeros_like(rest, dtype=torch.bool)
        step = max(_PAIRS // BLOCK, 1)
        for start in range(0, rest.shape[0], step):
            part = rest[start : start + step]
            suppressed[start : start + step] = _exceeds(
                boxes[kept], boxes[part], threshold, offset
            ).any(0)
        alive = rest[~suppressed]
    return keep


def keep_by_group(boxes: Tensor, sizes: list[int], threshold: float, offset: int) -> Tensor:
    """Return which boxes survive in groups that do not affect each other.

    Groups are padded to the next multiple of `_STEP` and those of one padded size solved together;
    groups larger than a block are solved one by one.

    Args:
        boxes: Tensor (N, 4), group by group, by descending score in each.
        sizes: Number of boxes of each group.
        threshold: Boxes that overlap more than this are suppressed.
        offset: 0, or 1 where x2 and y2 are the last pixels inside.

    Returns:
        Boolean tensor (N,).
    """
    keep = torch.ones(boxes.shape[0], dtype=torch.bool, device=boxes.device)
    buckets: dict[int, list[tuple[int, int]]] = {}
    start = 0
    for size in sizes:
        if size > BLOCK:
            group = slice(start, start + size)
            keep[group] = keep_in_order(boxes[group], threshold, offset)
        elif size > 1:
            buckets.setdefault(-(-size // _STEP) * _STEP, []).append((start, size))
        start += size
    for length, groups in buckets.items():
        step = max(_PAIRS // length**2, 1)
        for first in range(0, len(groups), step):
            _solve_padded(boxes, keep, groups[first : first + step], length, threshold, offset)
    return keep


def first_suppressor(boxes: Tensor, threshold: float) -> Tensor:
    """Return for each box the kept box that it belongs to.

    Overlaps of at least the threshold suppress here, as in mmcv's ``nms_match``.

    Args:
        boxes: Tensor (N, 4), by descending score.
        threshold: Boxes that overlap at least this much are matched.

    Returns:
        Integer tensor (N,): the index of the first kept box that overlaps it; its own if kept.
    """
    owner = torch.arange(boxes.shape[0], device=boxes.device)
    alive = owner.clone()
    while alive.shape[0] > 0:
        block = alive[:BLOCK]
        kept = block[_settle(_reaches(boxes[block], boxes[block], threshold))]
        matched = _reaches(boxes[kept], boxes[alive], threshold)
        # A kept box neither suppresses a box before it nor is itself suppressed.
        matched &= kept[:, None] < alive
        is_matched = matched.any(0)
        owner[alive[is_matched]] = kept[matched[:, is_matched].to(torch.uint8).argmax(0)]
        is_matched[:BLOCK] = True  # settled: kept, or matched just now
        alive = alive[~is_matched]
    return owner


def _solve_padded(
    boxes: Tensor,
    keep: Tensor,
    groups: list[tuple[int, int]],
    length: int,
    threshold: float,
    offset: int,
) -> None:
    """Solve groups of boxes at once and write into `keep`."""
    starts = torch.tensor([start for start, _ in groups], device=boxes.device)[:, None]
    sizes = torch.tensor([size for _, size in groups], device=boxes.device)[:, None]
    place = torch.arange(length, device=boxes.device)
    present = place < sizes
    # A padded place repeats a box of the group; it comes last, so it suppresses nothing.
    index = starts + torch.minimum(place, sizes - 1)
    padded = boxes[index]
    kept = _settle(_exceeds(padded, padded, threshold, offset))
    keep[index[present]] = kept[present]


def _exceeds(first: Tensor, second: Tensor, threshold: float, offset: int) -> Tensor:
    """Return which of (..., M, 4) and (..., N, 4) boxes overlap more than the threshold."""
    return _pair_overlaps(first, second, offset) > threshold


def _reaches(first: Tensor, second: Tensor, threshold: float) -> Tensor:
    """Return which boxes overlap at least the threshold."""
    return _pair_overlaps(first, second, 0) >= threshold


def _pair_overlaps(first: Tensor, second: Tensor, offset: int) -> Tensor:
    """Return what `brickwork_ops._boxes.overlaps` does, for all pairs and in little memory.

    Args:
        first: Tensor (..., M, 4).
        second: Tensor (..., N, 4).
        offset: 0, or 1 where x2 and y2 are the last pixels inside.

    Returns:
        Tensor (..., M, N).
    """
    first_sides, second_sides = first.unsqueeze(-2).unbind(-1), second.unsqueeze(-3).unbind(-1)
    sides = []
    for low, high in ((0, 2), (1, 3)):
        side = torch.minimum(first_sides[high], second_sides[high])
        side -= torch.maximum(first_sides[low], second_sides[low])
        if offset:
            side += offset
        sides.append(side.clamp_(min=0))
    intersection, other = sides
    intersection *= other
    union = torch.add(area(first_sides, offset), area(second_sides, offset), out=other)
    union -= intersection
    intersection /= union
    return intersection


def _settle(exceeds: Tensor) -> Tensor:
    """Solve the greedy rule for blocks of boxes.

    Args:
        exceeds: Boolean tensor (..., N, N), by descending score: whether two boxes overlap too
            much.

    Returns:
        Boolean tensor (..., N).
    """
    # Products of 0 and 1 are exact, and a matrix product is faster than `any` over a mask.
    suppresses = exceeds.triu(1).to(torch.float32)
    keep = torch.ones(exceeds.shape[:-1], dtype=torch.float32, device=exceeds.device)
    while True:
        suppressors = torch.matmul(keep.unsqueeze(-2), suppresses).squeeze(-2)
        settled = (suppressors == 0).to(torch.float32)
        if torch.equal(settled, keep):
            return keep.to(torch.bool)
        keep = settled
