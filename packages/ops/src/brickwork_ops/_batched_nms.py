"""Non-maximum suppression by class."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ._check import check, shape
from ._nms import check_boxes, nms_indices
from ._soft_nms import soft_nms
from .errors import OperatorInputError, OperatorUnavailableError

_NAME = "batched_nms"


def batched_nms(
    boxes: Tensor,
    scores: Tensor,
    idxs: Tensor,
    nms_cfg: Mapping[str, Any] | None,
    class_agnostic: bool = False,
) -> tuple[Tensor, Tensor]:
    """Suppress boxes within each class.

    As in mmcv, boxes of different classes are moved apart by an offset that is added in the type
    of the boxes, so the result is that of mmcv to the last index. Boxes of equal score are taken
    in their order.

    Args:
        boxes: Tensor (N, 4) of x1, y1, x2, y2.
        scores: Tensor (N,).
        idxs: Tensor (N,), the class of each box.
        nms_cfg: ``type`` is ``'nms'`` (the default) or ``'soft_nms'``; the other keys are
            arguments of that function. ``class_agnostic`` overrides the argument;
            ``split_thr``, by default 10000, is the number of boxes from which classes are
            treated one by one, also if `class_agnostic`, as in mmcv. None sorts only.
        class_agnostic: Whether boxes of different classes suppress each other.

    Returns:
        The kept boxes with their scores, (K, 5), and their indices (K,), by descending score.

    Raises:
        OperatorInputError: If shapes do not match.
        OperatorUnavailableError: If ``type`` is a suppression of rotated boxes.

    Example:
        >>> boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 4.0, 5.0]])
        >>> scores, classes = torch.tensor([0.5, 0.9]), torch.tensor([0, 1])
        >>> batched_nms(boxes, scores, classes, dict(type='nms', iou_threshold=0.5))[1]
        tensor([1, 0])
    """
    if nms_cfg is None:
        ordered = scores.sort(descending=True, stable=True)
        return _with_scores(boxes[ordered.indices], ordered.values), ordered.indices
    options = dict(nms_cfg)
    class_agnostic = options.pop("class_agnostic", class_agnostic)
    kind = options.pop("type", "nms")
    split_thr = options.pop("split_thr", 10000)
    if kind in ("nms_rotated", "nms_quadri"):
        raise OperatorUnavailableError(kind, "a compiled mmcv")
    check(
        kind in ("nms", "soft_nms"),
        _NAME,
        f"type of nms_cfg must be 'nms' or 'soft_nms', got {kind!r}",
    )
    boxes, scores = check_boxes(_NAME, boxes, scores, options.get("offset", 0))
    check(
        shape(idxs) == shape(scores),
        _NAME,
        f"idxs must have shape {shape(scores)}, one for each box, got {shape(idxs)}",
    )
    if boxes.shape[0] == 0:
        return _with_scores(boxes, scores), torch.zeros_like(idxs, dtype=torch.long)
    apart = boxes if class_agnostic else _moved_apart(boxes, idxs)
    split = boxes.shape[0] >= split_thr
    if kind == "nms":
        groups = idxs if split or not class_agnostic else None
        kept = _nms_with_options(apart, scores, groups, options, split)
    else:
        kept, scores = _soft_nms_by_class(apart, scores, idxs if split else None, options)
        scores = scores.to(boxes.device)
        return _with_scores(boxes[kept], scores), kept
    return _with_scores(boxes[kept], scores[kept]), kept


def _moved_apart(boxes: Tensor, idxs: Tensor) -> Tensor:
    """Move the boxes of each class to a place of their own."""
    return boxes + (idxs.to(boxes) * (boxes.max() + 1))[:, None]


def _nms_with_options(
    boxes: Tensor, scores: Tensor, groups: Tensor | None, options: dict[str, Any], split: bool
) -> Tensor:
    """Call `nms` by the keys of a config."""
    allowed = ("iou_threshold", "iou_thr", "offset", "score_threshold", "max_num")
    for key in options:
        if key not in allowed:
            raise OperatorInputError(
                _NAME, f"nms_cfg has no key {key!r}; keys of nms are {', '.join(allowed)}"
            )
    iou_threshold = options.get("iou_threshold", options.get("iou_thr"))
    if iou_threshold is None:
        raise OperatorInputError(_NAME, "nms_cfg must have the key 'iou_threshold'")
    indices: Tensor = nms_indices(
        boxes,
        scores,
        groups,
        float(iou_threshold),
        options.get("offset", 0),
        float(options.get("score_threshold", 0)),
        options.get("max_num", -1),
        split,
    )
    return indices


def _soft_nms_by_class(
    boxes: Tensor, scores: Tensor, idxs: Tensor | None, options: dict[str, Any]
) -> tuple[Tensor, Tensor]:
    """Run `soft_nms` on all boxes, or on each class by itself if `idxs` is given.

    Returns:
        Indices and new scores, by descending score.
    """
    suppress: Callable[..., tuple[Tensor, Tensor]] = soft_nms
    if idxs is None:
        dets, kept = suppress(boxes, scores, **options)
        return kept, dets[:, -1]
    max_num = options.pop("max_num", -1)
    found = []
    for label in torch.unique(idxs):
        members = (idxs == label).nonzero().flatten()
        dets, kept = suppress(boxes[members], scores[members], **options)
        found.append((members[kept], dets[:, -1]))
    indices = torch.cat([members for members, _ in found])
    new_scores = torch.cat([values for _, values in found])
    # By index first: boxes of equal score are in their order.
    by_index = indices.sort()
    ordered = new_scores[by_index.indices].sort(descending=True, stable=True)
    indices, new_scores = by_index.values[ordered.indices], ordered.values
    return (indices[:max_num], new_scores[:max_num]) if max_num > 0 else (indices, new_scores)


def _with_scores(boxes: Tensor, scores: Tensor) -> Tensor:
    return torch.cat([boxes, scores[:, None]], -1)
