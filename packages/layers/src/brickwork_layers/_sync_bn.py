"""Batch norm over the batches of all processes, on any device."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class SyncBatchNorm(nn.SyncBatchNorm):
    """Batch norm with the statistics of the batches of all processes together.

    It is the plain batch norm without a process group, with a single process, and in eval mode.
    Accelerators use the kernels of torch; the CPU, for which torch has none, uses two
    all-reduces. The arguments are those of `torch.nn.SyncBatchNorm`.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (torch's name)
        """Normalize the input.

        Args:
            input: Tensor ``(N, C, *)``.

        Returns:
            Tensor ``(N, C, *)``.

        Raises:
            ValueError: If the input has fewer than two dimensions or no channels.
        """
        if self.training and input.device.type == "cpu" and _is_distributed():
            return self._forward_on_cpu(input)
        output: Tensor = super().forward(input)
        return output

    @classmethod
    def convert_sync_batchnorm(
        cls, module: nn.Module, process_group: "dist.ProcessGroup | None" = None
    ) -> nn.Module:
        """Replace every batch norm of a model by one of this class.

        Args:
            module: The model, changed in place.
            process_group: Processes to compute the statistics over. None means all.

        Returns:
            The model; a new layer if `module` itself is a batch norm.
        """
        converted: nn.Module = super().convert_sync_batchnorm(module, process_group)  # type: ignore[no-untyped-call]  # torch has no types here
        if type(converted) is nn.SyncBatchNorm:  # torch hard-codes its own class
            converted.__class__ = cls
        return converted

    def _forward_on_cpu(self, x: Tensor) -> Tensor:
        self._check_input_dim(x)
        self._check_non_zero_input_channels(x)
        group = self.process_group or dist.group.WORLD
        dims = [0, *range(2, x.dim())]
        shape = [1, -1] + [1] * (x.dim() - 2)
        values = x if x.dtype in (torch.float32, torch.float64) else x.float()

        # The mean first, then the squared differences: sums of squares in one pass would lose the
        # variance of channels with a large mean.
        size = values.new_full((1,), x.numel() // x.size(1))
        sums = _sum_over(group, torch.cat([values.sum(dims), size]))
        count = sums[-1].detach()
        mean = sums[:-1] / count
        centered = values - mean.view(shape)
        squares = _sum_over(group, centered.square().sum(dims))
        var = squares / count

        if self.track_running_stats:
            self._track(mean.detach(), var.detach() * (count / (count - 1)))
        out = centered * torch.rsqrt(var + self.eps).view(shape)
        if self.weight is not None:
            out = out * self.weight.view(shape)
        if self.bias is not None:
            out = out + self.bias.view(shape)
        return out.to(x.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, unbiased_var: Tensor) -> None:
        """Update the running statistics with those of this batch."""
        seen = self.num_batches_tracked
        if self.running_mean is None or self.running_var is None or seen is None:
            return
        seen.add_(1)
        # Without a momentum, the running statistics are the average over all batches.
        factor = 1.0 / seen.item() if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), factor)
        self.running_var.lerp_(unbiased_var.to(self.running_var.dtype), factor)


class _SumOver(torch.autograd.Function):
    """Sum over processes. The gradient is the sum over processes, as each has its own loss."""

    @staticmethod
    def forward(ctx: Any, group: "dist.ProcessGroup", values: Tensor) -> Tensor:
        ctx.group = group
        total = values.clone()
        dist.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        total = grads[0].contiguous().clone()
        dist.all_reduce(total, group=ctx.group)
        return None, total


def _sum_over(group: "dist.ProcessGroup | None", values: Tensor) -> Tensor:
    total: Tensor = _SumOver.apply(group, values)  # type: ignore[no-untyped-call]  # torch's
    return total


def _is_distributed() -> bool:
    return dist.is_available() and dist.is_initialized()
