"""Convolutions with several dilations and shared filters."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch
from brickwork_base import BaseModule
from brickwork_registry.errors import ArgumentValueError
from torch import Tensor, nn
from torch.nn import functional as F

from ._rates import Rate, expand_rates, mean_rate, same_padding

logger = logging.getLogger(__name__)


class BaseConvRFSearchOp(BaseModule):
    """Base class of convolutions whose dilation is searched.

    Args:
        op_layer: The convolution.
        global_config: Settings of the search.
    """

    def __init__(self, op_layer: nn.Module, global_config: Mapping[str, Any]) -> None:
        super().__init__()
        self.op_layer: Any = op_layer
        self.global_config = global_config

    def normalize(self, weights: Tensor) -> Tensor:
        """Normalize weights to a sum of 1.

        Args:
            weights: Tensor (branches,).

        Returns:
            Tensor (branches,): absolute values divided by their sum.
        """
        absolute = weights.abs()
        return absolute / absolute.sum()

    def estimate_rates(self) -> None:
        """Set the dilation to one rate."""
        raise NotImplementedError(f"{type(self).__name__} must implement estimate_rates()")

    def expand_rates(self) -> None:
        """Create branches around the current rate."""
        raise NotImplementedError(f"{type(self).__name__} must implement expand_rates()")

    normlize = normalize  # mmcv's spelling


class Conv2dRFSearchOp(BaseConvRFSearchOp):
    """Weighted sum of a `torch.nn.Conv2d` with several dilations.

    All branches share the filters. A dimension with an even kernel size or kernel size 1 keeps
    its dilation, because no padding would preserve the size of the output.

    Args:
        op_layer: The convolution.
        global_config: Settings of the search: ``num_branches`` (2 or 3), ``exp_rate``,
            ``mmin``, ``mmax``, ``init_alphas`` (initial weight of each branch).
        verbose: Whether to log changes of the rates.

    Raises:
        ValueError: If `global_config` is None or ``num_branches`` is not 2 or 3.

    Reference:
        Gao et al., "RF-Next: Efficient Receptive Field Search for Convolutional Neural
        Networks", TPAMI 2022, https://arxiv.org/abs/2206.06637
    """

    def __init__(
        self, op_layer: nn.Module, global_config: Mapping[str, Any], verbose: bool = True
    ) -> None:
        super().__init__(op_layer, global_config)
        if global_config is None or global_config.get("num_branches") not in (2, 3):
            raise ArgumentValueError(
                f"global_config must have num_branches of 2 or 3, got {global_config!r}"
            )
        self.num_branches: int = global_config["num_branches"]
        self.verbose = verbose
        self.branch_weights = nn.Parameter(self.op_layer.weight.new_empty(self.num_branches))
        self.dilation_rates: list[Rate] = []
        self.expand_rates()

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (name in torch.nn)
        """Return the weighted sum of the convolution with each rate.

        Args:
            input: Tensor (N, C_in, H, W).

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        if len(self.dilation_rates) == 1:
            return self._convolve(input, self.dilation_rates[0])
        weights = self.normalize(self.branch_weights[: len(self.dilation_rates)])
        output = self._convolve(input, self.dilation_rates[0]) * weights[0]
        for index in range(1, len(self.dilation_rates)):
            output = output + self._convolve(input, self.dilation_rates[index]) * weights[index]
        return output

    def estimate_rates(self) -> None:
        """Set the dilation to the mean of the rates, weighted by the trained weights."""
        with torch.no_grad():
            weights = self.normalize(self.branch_weights[: len(self.dilation_rates)]).tolist()
        self._log("branches %s have the weights %s", self.dilation_rates, weights)
        rate = mean_rate(self.dilation_rates, weights, self.global_config)
        self.op_layer.dilation = rate
        self.op_layer.padding = self.get_padding(rate)
        self.dilation_rates = [rate]
        self._log("set the dilation to %s", rate)

    def expand_rates(self) -> None:
        """Create branches around the current rate, all with the same weight."""
        current: Rate = self.op_layer.dilation
        fixed = [size == 1 or size % 2 == 0 for size in self.op_layer.kernel_size]
        # Rates that became equal in a fixed dimension remain separate: each has its own weight.
        self.dilation_rates = [
            (current[0] if fixed[0] else height, current[1] if fixed[1] else width)
            for height, width in expand_rates(current, self.global_config)
        ]
        nn.init.constant_(self.branch_weights, self.global_config["init_alphas"])
        self._log("searching among the dilations %s", self.dilation_rates)

    def get_padding(self, dilation: Rate) -> tuple[int, int]:
        """Return the padding that preserves the size of the output.

        Args:
            dilation: The rate.

        Returns:
            The padding of height and width.
        """
        (k0, k1), (s0, s1) = self.op_layer.kernel_size, self.op_layer.stride
        return same_padding(k0, s0, dilation[0]), same_padding(k1, s1, dilation[1])

    def _convolve(self, x: Tensor, rate: Rate) -> Tensor:
        conv = self.op_layer
        return F.conv2d(
            x, conv.weight, conv.bias, conv.stride, self.get_padding(rate), rate, conv.groups
        )

    def _log(self, text: str, *args: object) -> None:
        if self.verbose:
            logger.info(text, *args)
