"""Piecewise linear approximations of sigmoid and Swish (MobileNetV3)."""

import warnings

from brickwork_registry.errors import ArgumentValueError
from torch import Tensor, nn


class _Default(float):
    """Default value that differs from the same number passed by the caller."""


class HSigmoid(nn.Module):
    """Hard sigmoid: min(max((x + bias) / divisor, min_value), max_value).

    With the defaults this is `torch.nn.Hardsigmoid`, min(max((x + 3) / 6, 0), 1) (Howard et al.,
    "Searching for MobileNetV3", https://arxiv.org/abs/1905.02244). Before mmcv 1.4.4 the defaults
    were those of (x + 1) / 2, so a warning is given if `bias` or `divisor` is left out.

    Args:
        bias: Added to the input.
        divisor: Divisor of the sum, not 0.
        min_value: Lower bound.
        max_value: Upper bound.

    Raises:
        ValueError: If `divisor` is 0.
    """

    def __init__(
        self,
        bias: float = _Default(3.0),
        divisor: float = _Default(6.0),
        min_value: float = 0.0,
        max_value: float = 1.0,
    ) -> None:
        super().__init__()
        if divisor == 0:
            raise ArgumentValueError("divisor must not be 0, got 0")
        if isinstance(bias, _Default) or isinstance(divisor, _Default):
            warnings.warn(
                "HSigmoid computes min(max((x + 3) / 6, 0), 1), as torch.nn.Hardsigmoid does; "
                "before mmcv 1.4.4 its defaults gave min(max((x + 1) / 2, 0), 1). Pass "
                "bias=3, divisor=6 or bias=1, divisor=2 to silence this warning.",
                stacklevel=2,
            )
        self.bias = float(bias)
        self.divisor = float(divisor)
        self.min_value = min_value
        self.max_value = max_value

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation.

        Args:
            x: Tensor ``(*)``.

        Returns:
            Tensor of the same shape.
        """
        return ((x + self.bias) / self.divisor).clamp_(self.min_value, self.max_value)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"bias={self.bias}, divisor={self.divisor}, "
            f"min_value={self.min_value}, max_value={self.max_value}"
        )


class HSwish(nn.Module):
    """Hard Swish: x * relu6(x + 3) / 6 (MobileNetV3, https://arxiv.org/abs/1905.02244).

    The registered ``'HSwish'`` is `torch.nn.Hardswish`, which computes the same in one kernel.

    Args:
        inplace: Whether the inner ReLU6 overwrites x + 3; the input is never overwritten.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.act = nn.ReLU6(inplace)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation.

        Args:
            x: Tensor ``(*)``.

        Returns:
            Tensor of the same shape.
        """
        output: Tensor = x * self.act(x + 3) / 6
        return output
