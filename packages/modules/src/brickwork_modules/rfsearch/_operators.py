"""Convolutions that try several dilations at once, with the same filters."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch
from brickwork_base import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from ._rates import Rate, expand_rates, mean_rate, same_padding

logger = logging.getLogger(__name__)


class BaseConvRFSearchOp(BaseModule):
    """Base of the convolutions whose receptive field is searched.

    Args:
        op_layer: The convolution.
        global_config: Settings of the search.
    """

    def __init__(self, op_layer: nn.Module, global_config: Mapping[str, Any]) -> None:
        super().__init__()
        self.op_layer: Any = op_layer
        self.global_config = global_config

    def normalize(self, weights: Tensor) -> Tensor:
        """Turn weights of any sign into shares.

        Args:
            weights: Tensor (branches,).

        Returns:
            Tensor (branches,): absolute values divided by their sum.
        """
        size = weights.abs()
        return size / size.sum()

    def estimate_rates(self) -> None:
        """Settle on one rate."""
        raise NotImplementedError(f"{type(self).__name__} has no estimate_rates()")

    def expand_rates(self) -> None:
        """Search anew around the present rate."""
        raise NotImplementedError(f"{type(self).__name__} has no expand_rates()")

    normlize = normalize  # the original's spelling


class Conv2dRFSearchOp(BaseConvRFSearchOp):
    """A `torch.nn.Conv2d` computed with several dilations, added up by trained weights.

    All branches share the filters; a side of the kernel that is 1 or even keeps its dilation,
    as no padding would keep the size of the output.

    Args:
        op_layer: The convolution. It stays within as ``op_layer``.
        global_config: Settings of the search: ``num_branches`` (2 or 3), ``exp_rate``,
            ``mmin``, ``mmax``, ``init_alphas`` (the weight that each branch starts with).
        verbose: Whether to log the rates as they change.

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
            raise ValueError(
                f"global_config must hold num_branches of 2 or 3, but got {global_config!r}"
            )
        self.num_branches: int = global_config["num_branches"]
        self.verbose = verbose
        self.branch_weights = nn.Parameter(self.op_layer.weight.new_empty(self.num_branches))
        self.dilation_rates: list[Rate] = []
        self.expand_rates()

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (the name in torch.nn)
        """Convolve with each rate and add up.

        Args:
            input: Tensor (N, C_in, H, W).

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        if len(self.dilation_rates) == 1:
            return self._convolve(input, self.dilation_rates[0])
        shares = self.normalize(self.branch_weights[: len(self.dilation_rates)])
        output = self._convolve(input, self.dilation_rates[0]) * shares[0]
        for index in range(1, len(self.dilation_rates)):
            output = output + self._convolve(input, self.dilation_rates[index]) * shares[index]
        return output

    def estimate_rates(self) -> None:
        """Settle on one rate: the mean of the present ones by their trained weights."""
        with torch.no_grad():
            shares = self.normalize(self.branch_weights[: len(self.dilation_rates)]).tolist()
        self._log("branches %s have the shares %s", self.dilation_rates, shares)
        rate = mean_rate(self.dilation_rates, shares, self.global_config)
        self.op_layer.dilation = rate
        self.op_layer.padding = self.get_padding(rate)
        self.dilation_rates = [rate]
        self._log("settled on the dilation %s", rate)

    def expand_rates(self) -> None:
        """Search anew around the present rate, all branches with the same weight."""
        present: Rate = self.op_layer.dilation
        fixed = [size == 1 or size % 2 == 0 for size in self.op_layer.kernel_size]
        # Rates that a fixed side has made equal stay apart: each has a weight of its own.
        self.dilation_rates = [
            (present[0] if fixed[0] else height, present[1] if fixed[1] else width)
            for height, width in expand_rates(present, self.global_config)
        ]
        nn.init.constant_(self.branch_weights, self.global_config["init_alphas"])
        self._log("searching among the dilations %s", self.dilation_rates)

    def get_padding(self, dilation: Rate) -> tuple[int, int]:
        """Tell the padding that keeps the size of the output.

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
