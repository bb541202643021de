"""Point-wise spatial attention masks of PSANet (Zhao et al., ECCV 2018)."""

from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from ._check import check, pair, shape
from ._typing import Size2d

#: Whether a pixel gathers from the others or sends to them.
PSAType: TypeAlias = Literal["collect", "distribute"]

_TYPES: tuple[PSAType, ...] = ("collect", "distribute")


def psa_mask(
    input: Tensor,  # noqa: A002  (mmcv's name)
    psa_type: int,
    mask_size: Size2d,
) -> Tensor:
    """Spread masks that are centered on their pixels over the whole map.

    Args:
        input: Tensor (N, mask height * mask width, H, W), the mask of each pixel.
        psa_type: 0 to collect, 1 to distribute.
        mask_size: Height and width of the masks.

    Returns:
        Tensor (N, H * W, H, W). To collect, entry (n, q, y, x) is what pixel (y, x) gives to
        pixel q; to distribute, the two swap places. 0 outside a mask.

    Raises:
        OperatorInputError: If shapes or arguments do not fit.
    """
    name = "psa_mask"
    mask_height, mask_width = pair(name, "mask_size", mask_size)
    check(psa_type in (0, 1), name, f"psa_type must be 0 or 1, got {psa_type!r}")
    check(
        input.dim() == 4 and input.shape[1] == mask_height * mask_width,
        name,
        f"input must have shape (N, {mask_height * mask_width}, H, W) for masks of "
        f"{mask_height} x {mask_width}, got {shape(input)}",
    )
    n, _, height, width = input.shape
    row = _shifts(height, mask_height, input.device)[:, None, :, None]
    column = _shifts(width, mask_width, input.device)[None, :, None, :]
    inside = (row >= 0) & (row < mask_height) & (column >= 0) & (column < mask_width)
    index = torch.where(inside, row * mask_width + column, 0).view(1, -1, height, width)
    gathered = input.gather(1, index.expand(n, -1, -1, -1))
    out = torch.where(inside.view(index.shape), gathered, 0)
    if psa_type == 1:
        out = out.view(n, height * width, -1).transpose(1, 2).reshape(out.shape)
    return out


class PSAMask(nn.Module):
    """Point-wise spatial attention mask as a layer, see `psa_mask`.

    Args:
        psa_type: ``'collect'`` or ``'distribute'``.
        mask_size: Height and width of the masks.

    Raises:
        OperatorInputError: If `psa_type` is neither.
    """

    def __init__(self, psa_type: PSAType, mask_size: Size2d | None = None) -> None:
        super().__init__()
        check(
            psa_type in _TYPES,
            "PSAMask",
            f"psa_type must be one of {', '.join(_TYPES)}, got {psa_type!r}",
        )
        self.psa_type_enum = _TYPES.index(psa_type)
        self.mask_size = mask_size
        self.psa_type = psa_type

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  (mmcv's name)
        """Spread the masks.

        Args:
            input: Tensor (N, mask height * mask width, H, W).

        Returns:
            Tensor (N, H * W, H, W).
        """
        check(self.mask_size is not None, "PSAMask", "mask_size must be given, got None")
        return psa_mask(input, self.psa_type_enum, self.mask_size or 0)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"psa_type={self.psa_type}, mask_size={self.mask_size}"


def _shifts(size: int, mask_size: int, device: torch.device) -> Tensor:
    """Return where a position lies in the mask of another: (position, other)."""
    place = torch.arange(size, device=device)
    return place[:, None] - place + (mask_size - 1) // 2
