"""The initializers of mmcv."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from ._fills import check_distribution, kaiming_, trunc_normal_, xavier_
from ._initializer import INITIALIZERS, Initializer


@INITIALIZERS.register_module(name="Constant")
class ConstantInit(Initializer):
    """Fill weights with a constant.

    Args:
        val: Value of the weights.
        **kwargs: Selection, and options of biases, see `Initializer`.
    """

    def __init__(self, val: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.val = val

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place."""
        return weight.fill_(self.val)


@INITIALIZERS.register_module(name="Xavier")
class XavierInit(Initializer):
    """Fill weights as `Glorot and Bengio <https://proceedings.mlr.press/v9/glorot10a>`_ (2010).

    Args:
        gain: Scale of the standard deviation.
        distribution: ``'normal'`` or ``'uniform'``.
        **kwargs: Selection, and options of biases, see `Initializer`.

    Raises:
        RuleError: If `distribution` is neither.
    """

    def __init__(self, gain: float = 1, distribution: str = "normal", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_distribution(distribution)
        self.gain = gain
        self.distribution = distribution

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place."""
        return xavier_(weight, self.gain, self.distribution)


@INITIALIZERS.register_module(name="Normal")
class NormalInit(Initializer):
    """Draw weights from a normal distribution.

    Args:
        mean: Mean.
        std: Standard deviation.
        **kwargs: Selection, and options of biases, see `Initializer`.
    """

    def __init__(self, mean: float = 0, std: float = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean = mean
        self.std = std

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place."""
        return weight.normal_(self.mean, self.std)


@INITIALIZERS.register_module(name="TruncNormal")
class TruncNormalInit(Initializer):
    """Draw weights from a normal distribution truncated to [a, b].

    Args:
        mean: Mean before truncation.
        std: Standard deviation before truncation.
        a: Minimum.
        b: Maximum.
        **kwargs: Selection, and options of biases, see `Initializer`.
    """

    def __init__(
        self, mean: float = 0, std: float = 1, a: float = -2, b: float = 2, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.mean = mean
        self.std = std
        self.a = a
        self.b = b

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place."""
        return trunc_normal_(weight, self.mean, self.std, self.a, self.b)


@INITIALIZERS.register_module(name="Uniform")
class UniformInit(Initializer):
    """Draw weights from a uniform distribution.

    Args:
        a: Lower bound.
        b: Upper bound.
        **kwargs: Selection, and options of biases, see `Initializer`.
    """

    def __init__(self, a: float = 0.0, b: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.a = a
        self.b = b

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place."""
        return weight.uniform_(self.a, self.b)


@INITIALIZERS.register_module(name="Kaiming")
class KaimingInit(Initializer):
    """Fill weights as `He et al. <https://arxiv.org/abs/1502.01852>`_ (2015).

    Args:
        a: Negative slope of the rectifier after the layer, for ``nonlinearity='leaky_relu'``.
        mode: ``'fan_in'`` preserves the variance of activations, ``'fan_out'`` that of gradients.
        nonlinearity: Activation after the layer, by its name in `torch.nn.functional`.
        distribution: ``'normal'`` or ``'uniform'``.
        **kwargs: Selection, and options of biases, see `Initializer`.

    Raises:
        RuleError: If `distribution` is neither.
    """

    def __init__(
        self,
        a: float = 0,
        mode: str = "fan_out",
        nonlinearity: str = "relu",
        distribution: str = "normal",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_distribution(distribution)
        self.a = a
        self.mode = mode
        self.nonlinearity = nonlinearity
        self.distribution = distribution

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place."""
        return kaiming_(weight, self.a, self.mode, self.nonlinearity, self.distribution)


@INITIALIZERS.register_module(name="Caffe2Xavier")
class Caffe2XavierInit(KaimingInit):
    """Fill weights as Caffe2's ``XavierFill`` does: ``U(-sqrt(3 / fan_in), sqrt(3 / fan_in))``.

    Args:
        **kwargs: Selection, and options of biases, see `Initializer`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            a=1, mode="fan_in", nonlinearity="leaky_relu", distribution="uniform", **kwargs
        )
