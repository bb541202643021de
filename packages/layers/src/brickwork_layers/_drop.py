"""Dropout layers from configs."""

from collections.abc import Mapping
from typing import Any

import torch
from brickwork_registry import build_from_cfg
from torch import Tensor, nn

from ._registries import DROPOUT_LAYERS, register_builtin
from ._typing import LayerConfig


def drop_path(x: Tensor, drop_prob: float = 0.0, training: bool = False) -> Tensor:
    """Zero random samples and scale the others by 1 / (1 - drop_prob) (stochastic depth).

    See Huang et al., "Deep Networks with Stochastic Depth", https://arxiv.org/abs/1603.09382.

    Args:
        x: Tensor ``(N, *)``, the residual branch.
        drop_prob: Probability to zero a sample, in [0, 1].
        training: If False, `x` is returned.

    Returns:
        Tensor ``(N, *)``.
    """
    if drop_prob == 0.0 or not training:
        return x
    keep_prob = 1 - drop_prob
    shape = [x.shape[0]] + [1] * (x.dim() - 1)
    kept = (keep_prob + torch.rand(shape, dtype=x.dtype, device=x.device)).floor()
    if keep_prob == 0.0:
        return x * kept
    return x.div(keep_prob) * kept


class DropPath(nn.Module):
    """Zero the residual branch of random samples in training, see `drop_path`.

    Args:
        drop_prob: Probability to zero a sample, in [0, 1].

    Raises:
        ValueError: If `drop_prob` is outside of [0, 1].
    """

    def __init__(self, drop_prob: float = 0.1) -> None:
        super().__init__()
        if not 0.0 <= drop_prob <= 1.0:
            raise ValueError(f"drop_prob must be in [0, 1], got {drop_prob!r}")
        self.drop_prob = drop_prob

    def forward(self, x: Tensor) -> Tensor:
        """Zero random samples.

        Args:
            x: Tensor ``(N, *)``.

        Returns:
            Tensor ``(N, *)``.
        """
        return drop_path(x, self.drop_prob, self.training)

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"drop_prob={self.drop_prob}"


class Dropout(nn.Dropout):
    """`torch.nn.Dropout` with the argument name of `DropPath`.

    Args:
        drop_prob: Probability to zero an element, in [0, 1].
        inplace: Whether to overwrite the input.

    Raises:
        ValueError: If `drop_prob` is outside of [0, 1].
    """

    def __init__(self, drop_prob: float = 0.5, inplace: bool = False) -> None:
        super().__init__(p=drop_prob, inplace=inplace)


register_builtin(DROPOUT_LAYERS, {"DropPath": DropPath, "Dropout": Dropout}, defaults={})


def build_dropout(cfg: LayerConfig, default_args: Mapping[str, Any] | None = None) -> nn.Module:
    """Build a dropout layer.

    Args:
        cfg: ``type`` is a name in `DROPOUT_LAYERS`; the other keys are arguments of the layer.
        default_args: Values, including ``type``, for keys that `cfg` does not have.

    Returns:
        The layer.

    Raises:
        TypeError: If `cfg` is not a dict, or an argument is invalid.
        KeyError: If there is no ``type``, or it is not registered.

    Example:
        >>> build_dropout(dict(type='DropPath', drop_prob=0.2))
        DropPath(drop_prob=0.2)
    """
    return build_from_cfg(cfg, DROPOUT_LAYERS, default_args)
