"""Initializers beyond mmcv's."""

from __future__ import annotations

from typing import Any

from brickwork_registry import suggest
from torch import Tensor, nn

from ._fills import check_distribution
from ._initializer import INITIALIZERS, Initializer
from ._initializers import TruncNormalInit
from .errors import RuleError


@INITIALIZERS.register_module(name="Orthogonal")
class OrthogonalInit(Initializer):
    """Make weights (semi-)orthogonal, as `Saxe et al. <https://arxiv.org/abs/1312.6120>`_ (2013).

    Args:
        gain: Scale of the weight.
        **kwargs: Selection, and options of biases, see `Initializer`.
    """

    def __init__(self, gain: float = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gain = gain

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place."""
        return nn.init.orthogonal_(weight, self.gain)


@INITIALIZERS.register_module(name="Dirac")
class DiracInit(Initializer):
    """Make convolutions the identity: a one at the center of each channel's kernel.

    Args:
        groups: Groups of the convolution; each preserves its own channels.
        **kwargs: Selection, and options of biases, see `Initializer`.
    """

    def __init__(self, groups: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups = groups

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place."""
        return nn.init.dirac_(weight, self.groups)


@INITIALIZERS.register_module(name="Eye")
class EyeInit(Initializer):
    """Make linear layers the identity, by the identity matrix.

    Args:
        **kwargs: Selection, and options of biases, see `Initializer`.
    """

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place."""
        return nn.init.eye_(weight)


@INITIALIZERS.register_module(name="LeCun")
class LeCunInit(Initializer):
    """Draw weights of variance ``1 / fan_in``.

    See LeCun et al., `Efficient BackProp
    <http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf>`_ (1998), and, for SELU,
    `Klambauer et al. <https://arxiv.org/abs/1706.02515>`_ (2017).

    Args:
        distribution: ``'normal'`` or ``'uniform'``.
        **kwargs: Selection, and options of biases, see `Initializer`.

    Raises:
        RuleError: If `distribution` is neither.
    """

    def __init__(self, distribution: str = "normal", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_distribution(distribution)
        self.distribution = distribution

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place."""
        if self.distribution == "uniform":
            return nn.init.kaiming_uniform_(weight, mode="fan_in", nonlinearity="linear")
        return nn.init.kaiming_normal_(weight, mode="fan_in", nonlinearity="linear")


@INITIALIZERS.register_module(name="ViTTruncNormal")
class ViTTruncNormalInit(TruncNormalInit):
    """Draw weights as vision transformers do: normal, truncated at two standard deviations.

    See `ViT <https://arxiv.org/abs/2010.11929>`_ and `MAE <https://arxiv.org/abs/2111.06377>`_.

    Args:
        std: Standard deviation before truncation.
        **kwargs: Selection, and options of biases, see `Initializer`.
    """

    def __init__(self, std: float = 0.02, **kwargs: Any) -> None:
        super().__init__(std=std, a=-2 * std, b=2 * std, **kwargs)


@INITIALIZERS.register_module(name="IdentityResidual")
class IdentityResidualInit(Initializer):
    """Make residual blocks start as the identity, by a zero weight of their last norm.

    See `Goyal et al. <https://arxiv.org/abs/1706.02677>`_ (2017), section 5.1.

    Args:
        norm: Name of the norm in a block, may be dotted. Default: the last norm that is not on
            the shortcut.
        **kwargs: Selection of blocks, and options of biases, see `Initializer`.

    Raises:
        RuleError: When called, if a block has no such norm.
    """

    SHORTCUTS = frozenset({"downsample", "shortcut", "skip", "identity"})

    def __init__(self, norm: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.norm = norm

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place."""
        return nn.init.zeros_(weight)

    def part(self, module: nn.Module) -> nn.Module:
        """Return the last norm of a block."""
        modules: dict[str, nn.Module] = dict(module.named_modules())
        if self.norm is not None and self.norm in modules:
            return modules[self.norm]
        norms = {
            name: module
            for name, module in modules.items()
            if "norm" in type(module).__name__.lower()
            and getattr(module, "weight", None) is not None
        }
        main = [norm for name, norm in norms.items() if self.SHORTCUTS.isdisjoint(name.split("."))]
        if self.norm is not None or not main:
            wanted = f"module {self.norm!r}" if self.norm else "norm with a weight"
            raise RuleError(
                f"{self!r} selects a {type(module).__name__} that has no {wanted}: "
                f"{suggest(self.norm or '', modules) or f'its norms are {list(norms)}'}",
                self.norm,
            )
        return main[-1]
