"""Corner pooling of CornerNet, https://arxiv.org/abs/1808.01244."""

from typing import Literal, TypeAlias

from torch import Tensor, nn

from ._check import check

#: The side towards which maxima are carried.
CornerPoolMode: TypeAlias = Literal["top", "bottom", "left", "right"]

# Axis, and whether to go through it backwards.
_DIRECTIONS: dict[str, tuple[int, bool]] = {
    "bottom": (2, False),
    "left": (3, True),
    "right": (3, False),
    "top": (2, True),
}


class CornerPool(nn.Module):
    """Running maximum of a map towards one side.

    Args:
        mode: ``'top'``, ``'bottom'``, ``'left'`` or ``'right'``.

    Raises:
        OperatorInputError: If `mode` is none of these.
    """

    def __init__(self, mode: CornerPoolMode) -> None:
        super().__init__()
        check(
            mode in _DIRECTIONS,
            "CornerPool",
            f"mode must be one of {', '.join(_DIRECTIONS)}, got {mode!r}",
        )
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        """Pool.

        Args:
            x: Tensor (N, C, H, W).

        Returns:
            Tensor (N, C, H, W).
        """
        dim, backwards = _DIRECTIONS[self.mode]
        if backwards:
            return x.flip(dim).cummax(dim).values.flip(dim)
        return x.cummax(dim).values

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"mode={self.mode}"
