"""What the networks of ``mmcv.cnn`` share: its manners in training, outputs and initialising."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import brickwork_zoo
from brickwork_init import constant_init, is_loaded, kaiming_init
from torch import Tensor, nn

from ._backbone import StagedNet


class ClassicBackbone(StagedNet):
    """A backbone with the manners of ``mmcv.cnn``.

    It freezes in ``train()`` and not before, unwraps a single output, and
    ``init_weights(pretrained)`` takes a checkpoint.

    Args:
        num_stages: How many stages the network has.
        out_indices: The stages whose feature maps are returned.
        frozen_stages: -1 freezes nothing, 0 the stem, n the stem and the first n stages.
        bn_eval: Whether batch norms stay in evaluation mode.
        bn_frozen: Whether batch norms get no gradient either; needs ``bn_eval``.
        num_classes: Classes to tell apart; -1 makes a backbone.
        as_tuple: Whether a single output comes as a tuple, too.
    """

    def __init__(
        self,
        *,
        num_stages: int,
        out_indices: Sequence[int],
        frozen_stages: int = -1,
        bn_eval: bool = True,
        bn_frozen: bool = False,
        num_classes: int = -1,
        as_tuple: bool = False,
    ) -> None:
        super().__init__(
            num_stages=num_stages,
            out_indices=out_indices,
            frozen_stages=frozen_stages,
            norm_eval=bn_eval,
        )
        self.bn_eval, self.bn_frozen, self.as_tuple = bn_eval, bn_frozen, as_tuple
        self.num_classes, self.classifies = num_classes, num_classes > 0

    def _pack(self, outs: tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        return outs[0] if len(outs) == 1 and not self.as_tuple else outs

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute the feature maps; the only one is returned itself, not in a tuple."""
        return self._pack(self.forward_features(x))

    def train(self, mode: bool = True) -> Self:
        """Set the mode, freeze what is to be frozen, keep batch norms evaluating if asked."""
        super().train(mode)
        if self.bn_eval and self.bn_frozen:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.requires_grad_(False)
        return self

    def _init_module(self, module: nn.Module) -> None:
        """Initialise one layer."""
        if isinstance(module, nn.Conv2d):
            kaiming_init(module)
        elif isinstance(module, nn.BatchNorm2d):
            constant_init(module, 1)

    def init_weights(self, pretrained: str | None = None) -> None:
        """Fill the weights, or load them.

        What came from a checkpoint is left alone.

        Args:
            pretrained: A checkpoint (path or URI) to load, or ``None`` to draw the weights.

        Raises:
            TypeError: ``pretrained`` is neither.
        """
        if isinstance(pretrained, str):
            brickwork_zoo.load_checkpoint(self, pretrained, strict=False)
        elif pretrained is None:
            for module in self.modules():
                weight = getattr(module, "weight", None)
                if not (isinstance(weight, Tensor) and is_loaded(weight)):
                    self._init_module(module)
        else:
            raise TypeError(f"pretrained is a path, a URI or None, not {pretrained!r}")
