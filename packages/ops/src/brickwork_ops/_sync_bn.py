"""Synchronized batch norm by mmcv's own class name."""

from typing import TYPE_CHECKING, Literal

import brickwork_layers
from torch import nn

from ._check import check

if TYPE_CHECKING:
    from torch import distributed as dist


class SyncBatchNorm(brickwork_layers.SyncBatchNorm):
    """Batch norm over all processes; ``MMSyncBN`` in configs.

    It computes what `torch.nn.SyncBatchNorm` does, which weighs each process by its batch size.

    Args:
        num_features: Number of channels.
        eps: Value added to the variance for numerical stability.
        momentum: Momentum of the running statistics; None for the average of all batches.
        affine: Whether to have a learnable weight and bias.
        track_running_stats: Whether to track running statistics.
        group: Process group to synchronize in; None for all processes.
        stats_mode: ``'default'`` or ``'N'``, part of mmcv's signature. Both weigh each process by
            its batch size; for batches of equal size mmcv's two modes are the same.

    Raises:
        OperatorInputError: If `stats_mode` is neither.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        group: "dist.ProcessGroup | None" = None,
        stats_mode: Literal["default", "N"] = "default",
    ) -> None:
        check(
            stats_mode in ("default", "N"),
            "SyncBatchNorm",
            f"stats_mode must be 'default' or 'N', got {stats_mode!r}",
        )
        super().__init__(num_features, eps, momentum, affine, track_running_stats, group)
        self.stats_mode = stats_mode

    def reset_parameters(self) -> None:
        """Draw the weight uniformly from [0, 1), as mmcv does, and set the bias to 0."""
        self.reset_running_stats()
        if self.affine:
            nn.init.uniform_(self.weight)
            nn.init.zeros_(self.bias)
