"""Base class with the conventions of ``mmcv.cnn``'s models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import brickwork_zoo
from brickwork_init import constant_init, is_loaded, kaiming_init
from torch import Tensor, nn

from ._backbone import StagedNet


class ClassicBackbone(StagedNet):
    """Backbone with the conventions of ``mmcv.cnn``.

    It freezes in ``train()`` and not before, returns a single output without a tuple, and
    ``init_weights(pretrained)`` takes a checkpoint.

    Args:
        num_stages: Number of stages.
        out_indices: Indices of the stages whose feature maps are returned.
        frozen_stages: -1 freezes nothing, 0 the stem, n the stem and the first n stages.
        bn_eval: Whether batch norms stay in evaluation mode.
        bn_frozen: Whether batch norms get no gradient either; needs ``bn_eval``.
        num_classes: Number of classes; -1 builds a backbone.
        as_tuple: Whether a single output is returned in a tuple, too.
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
        self.num_classes, self.has_classifier = num_classes, num_classes > 0

    @classmethod
    def from_arguments(cls, *, num_classes: int | None = None, **arguments: Any) -> Self:
        """Build the model with the conventions of the package's other models.

        Args:
            num_classes: Number of classes; ``None`` builds a backbone that returns a tuple of
                feature maps, otherwise the model returns logits only.
            **arguments: Further arguments of the class.

        Returns:
            The model, not initialized.
        """
        if num_classes is None:
            return cls(**arguments, as_tuple=True)
        return cls(**arguments, num_classes=num_classes, out_indices=())

    def _unwrap(self, outs: tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
        return outs[0] if len(outs) == 1 and not self.as_tuple else outs

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute the feature maps; a single one is returned without a tuple."""
        return self._unwrap(self.forward_features(x))

    def train(self, mode: bool = True) -> Self:
        """Set the mode, freeze the frozen stages, and keep batch norms evaluating if asked."""
        super().train(mode)
        if self.bn_eval and self.bn_frozen:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.requires_grad_(False)
        return self

    def _init_layer(self, layer: nn.Module) -> None:
        """Initialize one layer."""
        if isinstance(layer, nn.Conv2d):
            kaiming_init(layer)
        elif isinstance(layer, nn.BatchNorm2d):
            constant_init(layer, 1)

    def init_weights(self, pretrained: str | None = None) -> None:
        """Initialize the weights, or load them.

        Weights that were loaded before are kept.

        Args:
            pretrained: Checkpoint (path or URI) to load, or ``None`` to initialize.

        Raises:
            TypeError: ``pretrained`` is neither a string nor ``None``.
        """
        if isinstance(pretrained, str):
            brickwork_zoo.load_checkpoint(self, pretrained, strict=False)
        elif pretrained is None:
            for module in self.modules():
                has_weight = isinstance(getattr(module, "weight", None), Tensor)
                if not (has_weight and is_loaded(module, "weight")):
                    self._init_layer(module)
        else:
            raise TypeError(f"pretrained must be a path, a URI or None, got {pretrained!r}")
