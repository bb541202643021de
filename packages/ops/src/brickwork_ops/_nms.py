"""Non-maximum suppression of boxes."""

from types import ModuleType

import torch
from torch import Tensor

from ._backends import torchvision_for
from ._check import check, shape
from ._deprecated import renamed_arguments
from ._greedy_nms import first_suppressor, keep_by_group, keep_in_order
from ._typing import ArrayLike
from .errors import OperatorInputError


@renamed_arguments("nms", iou_thr="iou_threshold")
def nms(
    boxes: ArrayLike,
    scores: ArrayLike,
    iou_threshold: float,
    offset: int = 0,
    score_threshold: float = 0,
    max_num: int = -1,
) -> tuple[ArrayLike, ArrayLike]:
    """Keep the boxes that no kept box of a higher score overlaps.

    Boxes of equal score are taken in their order.

    Args:
        boxes: Tensor or NumPy array (N, 4) of x1, y1, x2, y2.
        scores: Tensor or NumPy array (N,).
        iou_threshold: Boxes whose intersection over union exceeds this are suppressed.
        offset: 0, or 1 where x2 and y2 are the last pixels inside.
        score_threshold: Only boxes of a higher score are considered, if it is positive.
        max_num: Number of boxes to return at most, if it is positive.

    Returns:
        The kept boxes with their scores, (K, 5), and their indices (K,), by descending score and
        of the type of `boxes`.

    Raises:
        OperatorInputError: If shapes do not match, or a coordinate or score is NaN.

    Example:
        >>> boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 5.0], [8.0, 8.0, 9.0, 9.0]])
        >>> nms(boxes, torch.tensor([0.5, 0.9, 0.7]), iou_threshold=0.5)[1]
        tensor([1, 2])
    """
    is_numpy = not isinstance(boxes, Tensor)
    boxes, scores = check_boxes("nms", boxes, scores, offset)
    kept = nms_indices(
        boxes, scores, None, float(iou_threshold), offset, float(score_threshold), max_num, False
    )
    dets = torch.cat((boxes[kept], scores[kept].reshape(-1, 1)), dim=1)
    return (dets.cpu().numpy(), kept.cpu().numpy()) if is_numpy else (dets, kept)


def nms_match(dets: ArrayLike, iou_threshold: float) -> list[ArrayLike]:
    """Group boxes by the kept box that suppresses them.

    Overlaps of exactly the threshold suppress here, unlike in `nms`.

    Args:
        dets: Tensor or NumPy array (N, 5) of x1, y1, x2, y2, score.
        iou_threshold: Boxes whose intersection over union is at least this are matched.

    Returns:
        For each kept box, by descending score, the indices of it and of the boxes that it
        suppresses, of the type of `dets`.

    Raises:
        OperatorInputError: If `dets` has another shape.
    """
    if dets.shape[0] == 0:
        return []
    check(
        dets.ndim == 2 and dets.shape[-1] == 5,
        "nms_match",
        f"dets must have shape (N, 5), got {tuple(dets.shape)}",
    )
    tensor = as_tensor("nms_match", "dets", dets).detach()
    _refuse_nan("nms_match", "dets", tensor)
    order = tensor[:, 4].sort(descending=True, stable=True).indices
    owner = first_suppressor(tensor[order, :4], _in_type(iou_threshold, tensor))
    by_owner = owner.sort(stable=True)
    counts = torch.unique_consecutive(by_owner.values, return_counts=True)[1]
    groups = list(torch.split(order[by_owner.indices], counts.tolist()))
    return groups if isinstance(dets, Tensor) else [group.numpy() for group in groups]


@torch.library.custom_op("brickwork_ops::nms", mutates_args=())
def nms_indices(
    boxes: Tensor,
    scores: Tensor,
    groups: Tensor | None,
    iou_threshold: float,
    offset: int,
    score_threshold: float,
    max_num: int,
    independent: bool,
) -> Tensor:
    """Return the indices of the boxes that survive, by descending score.

    An operator of its own, so that `torch.compile` and `torch.export` see one node.

    Args:
        boxes: Tensor (N, 4).
        scores: Tensor (N,).
        groups: Tensor (N,), the class of each box; None if there is one.
        iou_threshold: See `nms`.
        offset: See `nms`.
        score_threshold: See `nms`.
        max_num: See `nms`.
        independent: Whether boxes of different classes never suppress each other. If not, and
            they overlap, all are treated as one class.

    Returns:
        Integer tensor (K,).
    """
    _refuse_nan("nms", "boxes", boxes)
    _refuse_nan("nms", "scores", scores)
    order = scores.sort(descending=True, stable=True).indices
    if score_threshold > 0:
        order = order[scores[order] > score_threshold]
    groups = None if groups is None else groups[order]
    kept = order[_keep(boxes[order], groups, iou_threshold, offset, independent)]
    return kept[:max_num].clone() if max_num > 0 else kept


@nms_indices.register_fake
def _(
    boxes: Tensor,
    scores: Tensor,
    groups: Tensor | None,
    iou_threshold: float,
    offset: int,
    score_threshold: float,
    max_num: int,
    independent: bool,
) -> Tensor:
    count = torch.library.get_ctx().new_dynamic_size()
    return boxes.new_empty(count, dtype=torch.long)


def _keep(
    boxes: Tensor, groups: Tensor | None, iou_threshold: float, offset: int, independent: bool
) -> Tensor:
    """Return which boxes survive, as a mask; boxes come by descending score."""
    if boxes.dtype in (torch.float16, torch.bfloat16):
        boxes = boxes.float()
    threshold = _in_type(iou_threshold, boxes)
    operators = torchvision_for("nms", boxes) if offset == 0 else None
    if groups is not None and boxes.shape[0] > 0:
        by_group = groups.sort(stable=True)
        sizes = torch.unique_consecutive(by_group.values, return_counts=True)[1]
        grouped = boxes[by_group.indices]
        if independent or (threshold >= 0 and _are_apart(grouped, sizes, offset)):
            keep = torch.empty(boxes.shape[0], dtype=torch.bool, device=boxes.device)
            keep[by_group.indices] = (
                keep_by_group(grouped, sizes.tolist(), threshold, offset)
                if operators is None
                else torch.cat(
                    [
                        _keep_by_torchvision(operators, group, threshold)
                        for group in torch.split(grouped, sizes.tolist())
                    ]
                )
            )
            return keep
    if operators is not None:
        return _keep_by_torchvision(operators, boxes, threshold)
    return keep_in_order(boxes, threshold, offset)


def _keep_by_torchvision(operators: ModuleType, boxes: Tensor, threshold: float) -> Tensor:
    """Return which boxes survive, as a mask, of boxes by descending score."""
    # Scores that differ: torchvision then keeps the order of the boxes.
    descending = torch.arange(boxes.shape[0], 0, -1, device=boxes.device, dtype=torch.float32)
    keep = torch.zeros(boxes.shape[0], dtype=torch.bool, device=boxes.device)
    keep[operators.nms(boxes, descending.to(boxes.dtype), threshold)] = True
    return keep


def _are_apart(boxes: Tensor, sizes: Tensor, offset: int) -> bool:
    """Whether boxes of different groups cannot overlap.

    Args:
        boxes: Tensor (N, 4), group by group.
        sizes: Tensor (G,), the number of boxes of each group.
        offset: 0, or 1 where x2 and y2 are the last pixels inside.
    """
    ends = sizes.cumsum(0)
    group = torch.repeat_interleave(torch.arange(len(sizes), device=boxes.device), sizes)
    low = boxes[ends - 1].amin(1).scatter_reduce(0, group, boxes.amin(1), "amin")
    high = boxes[ends - 1].amax(1).scatter_reduce(0, group, boxes.amax(1), "amax")
    return bool((low[1:] - high[:-1] >= offset).all())


def check_boxes(
    name: str, boxes: ArrayLike, scores: ArrayLike, offset: int
) -> tuple[Tensor, Tensor]:
    """Return boxes and scores as tensors, checked.

    Args:
        name: Name of the operator, for the error.
        boxes: Tensor or NumPy array (N, 4).
        scores: Tensor or NumPy array (N,).
        offset: 0 or 1.

    Raises:
        OperatorInputError: If shapes or types do not fit.
    """
    boxes, scores = as_tensor(name, "boxes", boxes), as_tensor(name, "scores", scores)
    check(
        boxes.dim() == 2 and boxes.shape[1] == 4,
        name,
        f"boxes must have shape (N, 4), got {shape(boxes)}",
    )
    check(
        shape(scores) == (boxes.shape[0],),
        name,
        f"scores must have shape ({boxes.shape[0]},), one for each box, got {shape(scores)}",
    )
    check(offset in (0, 1), name, f"offset must be 0 or 1, got {offset!r}")
    return boxes, scores


def as_tensor(name: str, argument: str, array: ArrayLike) -> Tensor:
    """Return a tensor as it is, a NumPy array as a tensor.

    Raises:
        OperatorInputError: If `array` is neither.
    """
    if isinstance(array, Tensor):
        return array
    if type(array).__module__.partition(".")[0] != "numpy":
        kind = type(array).__name__
        raise OperatorInputError(name, f"{argument} must be a tensor or a NumPy array, got {kind}")
    tensor: Tensor = torch.from_numpy(array)
    return tensor


def _in_type(threshold: float, boxes: Tensor) -> float:
    """Round a threshold to the type of the boxes, in which mmcv compares."""
    return float(torch.tensor(threshold, dtype=boxes.dtype))


def _refuse_nan(name: str, argument: str, tensor: Tensor) -> None:
    if tensor.isnan().any():
        rows = tensor.isnan().reshape(tensor.shape[0], -1).any(1).nonzero().flatten()
        raise OperatorInputError(
            name, f"{argument} must not contain NaN, found some in row {int(rows[0])}"
        )
