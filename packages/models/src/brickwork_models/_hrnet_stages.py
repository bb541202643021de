"""The tables of HRNet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ._residual import BasicBlock, Bottleneck, ResidualBlock
from ._typing import Config
from .errors import ArchitectureError

BLOCKS: dict[str, type[ResidualBlock]] = {"BASIC": BasicBlock, "BOTTLENECK": Bottleneck}


@dataclass(frozen=True)
class HRStage:
    """A stage of the network: modules in a row, each with branches side by side.

    Attributes:
        num_modules: Number of modules.
        num_branches: Number of branches, each at half the resolution of the one before.
        block: ``"BASIC"`` or ``"BOTTLENECK"``.
        num_blocks: Blocks of each branch.
        num_channels: Planes of each branch.
    """

    num_modules: int
    num_branches: int
    block: str
    num_blocks: Sequence[int]
    num_channels: Sequence[int]

    def __post_init__(self) -> None:
        for argument in ("num_blocks", "num_channels"):
            value = getattr(self, argument)
            if len(value) != self.num_branches:
                allowed = f"one for each of {self.num_branches} branches"
                raise ArchitectureError("HRNet", argument, value, allowed)
        if self.block not in BLOCKS:
            raise ArchitectureError("HRNet", "block", self.block, tuple(BLOCKS))

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each branch."""
        return tuple(planes * BLOCKS[self.block].expansion for planes in self.num_channels)


def hrnet_stages(
    width: int,
    modules: tuple[int, int, int, int] = (1, 1, 4, 3),
    blocks: tuple[int, int, int, int] = (4, 4, 4, 4),
    planes: int = 64,
) -> dict[str, Config]:
    """Write the table of an HRNet, the ``extra`` of its config.

    Args:
        width: Channels of the branch of highest resolution, the 18 of W18.
        modules: Modules of each stage.
        blocks: Blocks in each branch, by stage.
        planes: Planes of the first stage, whose blocks are bottlenecks.

    Returns:
        The four stages.
    """
    return {
        f"stage{i + 1}": {
            "num_modules": modules[i],
            "num_branches": i + 1,
            "block": "BASIC" if i else "BOTTLENECK",
            "num_blocks": (blocks[i],) * (i + 1),
            "num_channels": tuple(width * 2**j for j in range(i + 1)) if i else (planes,),
        }
        for i in range(4)
    }
