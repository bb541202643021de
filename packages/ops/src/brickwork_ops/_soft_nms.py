"""Soft non-maximum suppression, https://arxiv.org/abs/1704.04503."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from ._boxes import overlaps
from ._check import check
from ._deprecated import renamed_arguments
from ._nms import check_boxes
from ._typing import ArrayLike

#: How an overlap lowers a score.
SoftNMSMethod: TypeAlias = Literal["naive", "linear", "gaussian"]

_DECAYS: dict[str, Callable[[Tensor, float, float], Tensor]] = {
    "naive": lambda iou, threshold, sigma: (iou < threshold).to(iou.dtype),
    "linear": lambda iou, threshold, sigma: torch.where(iou >= threshold, 1 - iou, 1),
    "gaussian": lambda iou, threshold, sigma: torch.exp(-(iou * iou) / sigma),
}


@renamed_arguments("soft_nms", iou_thr="iou_threshold")
def soft_nms(
    boxes: ArrayLike,
    scores: ArrayLike,
    iou_threshold: float = 0.3,
    sigma: float = 0.5,
    min_score: float = 1e-3,
    method: SoftNMSMethod = "linear",
    offset: int = 0,
) -> tuple[ArrayLike, ArrayLike]:
    """Lower the scores of boxes that overlap a better one, instead of dropping them.

    Each step depends on the scores that the last one left, so this runs one step per box that is
    returned, on the CPU as in mmcv; use `nms` where speed matters.

    Args:
        boxes: Tensor or NumPy array (N, 4) of x1, y1, x2, y2.
        scores: Tensor or NumPy array (N,).
        iou_threshold: Overlap from which ``'naive'`` and ``'linear'`` lower a score.
        sigma: Width of the Gaussian for ``'gaussian'``.
        min_score: Boxes whose score falls below this are dropped.
        method: ``'naive'`` sets the score to 0, ``'linear'`` multiplies it by 1 - IoU,
            ``'gaussian'`` by exp(-IoU^2 / sigma).
        offset: 0, or 1 where x2 and y2 are the last pixels inside.

    Returns:
        The boxes with their new scores, (K, 5), and their indices (K,), by descending score and
        of the type of `boxes`.

    Raises:
        OperatorInputError: If shapes do not match or `method` is unknown.
    """
    is_numpy = not isinstance(boxes, Tensor)
    boxes, scores = check_boxes("soft_nms", boxes, scores, offset)
    check(
        method in _DECAYS,
        "soft_nms",
        f"method must be one of {', '.join(_DECAYS)}, got {method!r}",
    )
    with torch.no_grad():
        dets, kept = _soft_nms(
            torch.cat([boxes, scores[:, None].to(boxes.dtype)], 1).cpu(),
            lambda iou: _DECAYS[method](iou, iou_threshold, sigma),
            min_score,
            offset,
        )
    if is_numpy:
        return dets.numpy(), kept.numpy()
    return dets.to(boxes.device), kept.to(boxes.device)


def _soft_nms(
    dets: Tensor, decay: Callable[[Tensor], Tensor], min_score: float, offset: int
) -> tuple[Tensor, Tensor]:
    """Run soft suppression on boxes with scores, (N, 5).

    The best box is swapped to the front of the rest and a dropped box is replaced by the last
    one, as in mmcv's kernel: with equal scores the order of the result depends on it.
    """
    dets = dets.clone()
    index = torch.arange(dets.shape[0])
    front = 0
    while front < dets.shape[0]:
        best = front + int(dets[front:, 4].max(0).indices)
        swap = torch.tensor([front, best]), torch.tensor([best, front])
        dets[swap[0]], index[swap[0]] = dets[swap[1]], index[swap[1]]
        front += 1
        rest = dets[front:]
        iou = overlaps(dets[front - 1, :4].unbind(), rest[:, :4].unbind(1), offset)
        rest[:, 4] *= decay(iou)
        order = front + _fill_gaps(rest[:, 4] >= min_score)
        order = torch.cat([torch.arange(front), order])
        dets, index = dets[order], index[order]
    return dets, index


def _fill_gaps(survives: Tensor) -> Tensor:
    """Return the order of what survives once each gap is filled from the end.

    Args:
        survives: Boolean tensor (N,).

    Returns:
        Integer tensor (K,) of the positions that survive.
    """
    count = int(survives.sum())
    order = torch.arange(count)
    gaps = (~survives[:count]).nonzero().flatten()
    order[gaps] = (count + survives[count:].nonzero().flatten()).flip(0)
    return order
