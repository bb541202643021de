"""Focal losses, Lin et al., "Focal Loss for Dense Object Detection", arXiv:1708.02002."""

from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._check import check, shape

#: How the losses of a batch become one: not at all, their sum over the batch size, their sum.
Reduction: TypeAlias = Literal["none", "mean", "sum"]


def sigmoid_focal_loss(
    input: Tensor,  # noqa: A002  (mmcv's name)
    target: Tensor,
    gamma: float = 2.0,
    alpha: float = 0.25,
    weight: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return the focal loss of one binary classification per class.

    With p the sigmoid of a score, the loss is -alpha (1 - p)^gamma log p for the class of the
    target and -(1 - alpha) p^gamma log(1 - p) for the others.

    Args:
        input: Tensor (N, C) of scores.
        target: Integer tensor (N,) of classes; C, or any other number outside, is background.
        gamma: Exponent that lowers the loss of easy examples.
        alpha: Weight of the positive class.
        weight: Tensor (C,), weight of a row by the class of its target; background weighs 1.
        reduction: ``'mean'`` divides the sum by N, not by N * C.

    Returns:
        A scalar, or Tensor (N, C) for ``'none'``.

    Raises:
        OperatorInputError: If shapes, types or arguments do not fit.
    """
    _check("sigmoid_focal_loss", input, target, weight, reduction)
    classes = torch.arange(input.shape[1], device=input.device)
    is_target = target[:, None] == classes
    # Powers by logarithms, whose gradients are finite for any score.
    log_yes, log_no = F.logsigmoid(input), F.logsigmoid(-input)
    positive = -alpha * (gamma * log_no).exp() * log_yes
    negative = -(1 - alpha) * (gamma * log_yes).exp() * log_no
    loss = torch.where(is_target, positive, negative)
    if weight is not None:
        loss = loss * _row_weights(weight, target)[:, None]
    return _reduced(loss, reduction)


def softmax_focal_loss(
    input: Tensor,  # noqa: A002  (mmcv's name)
    target: Tensor,
    gamma: float = 2.0,
    alpha: float = 0.25,
    weight: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return the focal loss of one classification among all classes.

    With p the softmax of the scores at the class of the target, the loss is
    -alpha (1 - p)^gamma log p.

    Args:
        input: Tensor (N, C) of scores.
        target: Integer tensor (N,) of classes; a row whose target is outside has no loss.
        gamma: Exponent that lowers the loss of easy examples.
        alpha: Factor of the loss.
        weight: Tensor (C,), weight of a row by the class of its target.
        reduction: ``'mean'`` divides the sum by N.

    Returns:
        A scalar, or Tensor (N,) for ``'none'``.

    Raises:
        OperatorInputError: If shapes, types or arguments do not fit.
    """
    _check("softmax_focal_loss", input, target, weight, reduction)
    inside = (target >= 0) & (target < input.shape[1])
    label = torch.where(inside, target, 0)
    log_probability = F.log_softmax(input, 1).gather(1, label[:, None])[:, 0]
    # The gradient of a power below 1 is infinite at 0.
    complement = (-log_probability.expm1()).clamp(min=torch.finfo(input.dtype).tiny)
    loss = -alpha * complement**gamma * log_probability
    loss = torch.where(inside, loss, 0)
    if weight is not None:
        loss = loss * _row_weights(weight, target)
    return _reduced(loss, reduction)


class _FocalLoss(nn.Module):
    """The arguments of both focal losses."""

    weight: Tensor | None

    def __init__(
        self,
        gamma: float,
        alpha: float,
        weight: Tensor | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha
        self.register_buffer("weight", weight)
        self.reduction: Reduction = reduction

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"gamma={self.gamma}, alpha={self.alpha}, reduction={self.reduction}"


class SigmoidFocalLoss(_FocalLoss):
    """Focal loss of one binary classification per class, see `sigmoid_focal_loss`.

    Args:
        gamma: Exponent that lowers the loss of easy examples.
        alpha: Weight of the positive class.
        weight: Tensor (C,), weight of a row by the class of its target.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002  (mmcv's name)
        """Return the loss.

        Args:
            input: Tensor (N, C) of scores.
            target: Integer tensor (N,) of classes.
        """
        return sigmoid_focal_loss(
            input, target, self.gamma, self.alpha, self.weight, self.reduction
        )


class SoftmaxFocalLoss(_FocalLoss):
    """Focal loss of one classification among all classes, see `softmax_focal_loss`.

    Args:
        gamma: Exponent that lowers the loss of easy examples.
        alpha: Factor of the loss.
        weight: Tensor (C,), weight of a row by the class of its target.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:  # noqa: A002  (mmcv's name)
        """Return the loss.

        Args:
            input: Tensor (N, C) of scores.
            target: Integer tensor (N,) of classes.
        """
        return softmax_focal_loss(
            input, target, self.gamma, self.alpha, self.weight, self.reduction
        )


def _check(
    name: str,
    scores: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: Reduction,
) -> None:
    check(scores.dim() == 2, name, f"input must have shape (N, C), got {shape(scores)}")
    check(
        shape(target) == shape(scores)[:1],
        name,
        f"target must have shape {shape(scores)[:1]}, got {shape(target)}",
    )
    check(
        target.dtype == torch.long, name, f"target must be of type torch.int64, got {target.dtype}"
    )
    check(
        weight is None or shape(weight) == shape(scores)[1:],
        name,
        f"weight must have shape {shape(scores)[1:]}, "
        f"got {None if weight is None else shape(weight)}",
    )
    check(
        reduction in ("none", "mean", "sum"),
        name,
        f"reduction must be 'none', 'mean' or 'sum', got {reduction!r}",
    )


def _row_weights(weight: Tensor, target: Tensor) -> Tensor:
    """Return the weight of each row: that of its class, 1 outside."""
    inside = (target >= 0) & (target < weight.shape[0])
    return torch.where(inside, weight[torch.where(inside, target, 0)], 1)


def _reduced(loss: Tensor, reduction: Reduction) -> Tensor:
    if reduction == "none":
        return loss
    return loss.sum() / loss.shape[0] if reduction == "mean" else loss.sum()
