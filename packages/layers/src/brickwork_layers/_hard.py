"""Piecewise linear stand-ins for the sigmoid and Swish (MobileNetV3)."""

import warnings

from torch import Tensor, nn


class _Unstated(float):
    """A default that can be told from the same number given by the caller."""


class HSigmoid(nn.Module):
    """Hard sigmoid: min(max((x + bias) / divisor, min_value), max_value).

    With the defaults, min(max((x + 3) / 6, 0), 1), the function of `torch.nn.Hardsigmoid` (Howard
    et al., "Searching for MobileNetV3", https://arxiv.org/abs/1905.02244). Before mmcv 1.4.4 the
    defaults meant (x + 1) / 2, which is why leaving them unstated is warned about.

    Args:
        bias: Added to the input.
        divisor: The sum is divided by it; not 0.
        min_value: The lower limit.
        max_value: The upper limit.

    Raises:
        ValueError: If `divisor` is 0.
    """

    def __init__(
        self,
        bias: float = _Unstated(3.0),
        divisor: float = _Unstated(6.0),
        min_value: float = 0.0,
        max_value: float = 1.0,
    ) -> None:
        super().__init__()
        if divisor == 0:
            raise ValueError("divisor of HSigmoid must not be 0")
        if isinstance(bias, _Unstated) or isinstance(divisor, _Unstated):
            warnings.warn(
                "HSigmoid computes min(max((x + 3) / 6, 0), 1), as torch.nn.Hardsigmoid does; "
                "before mmcv 1.4.4 its defaults meant min(max((x + 1) / 2, 0), 1). Say which is "
                "meant: bias=3, divisor=6 or bias=1, divisor=2.",
                stacklevel=2,
            )
        self.bias = float(bias)
        self.divisor = float(divisor)
        self.min_value = min_value
        self.max_value = max_value

    def forward(self, x: Tensor) -> Tensor:
        """Activate.

        Args:
            x: Tensor of any shape.

        Returns:
            Tensor of the same shape.
        """
        return ((x + self.bias) / self.divisor).clamp_(self.min_value, self.max_value)

    def extra_repr(self) -> str:
        """Tell the line and its limits."""
        return (
            f"bias={self.bias}, divisor={self.divisor}, "
            f"min_value={self.min_value}, max_value={self.max_value}"
        )


class HSwish(nn.Module):
    """Hard Swish: x * relu6(x + 3) / 6 (MobileNetV3, https://arxiv.org/abs/1905.02244).

    The registry's ``'HSwish'`` is `torch.nn.Hardswish`, which computes the same in one kernel.

    Args:
        inplace: Whether the inner ReLU6 overwrites its own input; the layer's input never is.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.act = nn.ReLU6(inplace)

    def forward(self, x: Tensor) -> Tensor:
        """Activate.

        Args:
            x: Tensor of any shape.

        Returns:
            Tensor of the same shape.
        """
        out: Tensor = x * self.act(x + 3) / 6
        return out
