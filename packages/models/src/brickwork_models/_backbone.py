"""What every network here shares: the run through stem and stages, freezing and the head."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
from typing import Any, Self, TypedDict

import torch.nn.functional as F
from brickwork_base import BaseModule
from brickwork_registry import suggest
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ._typing import Config, InitConfig
from .errors import ArchitectureError

KAIMING_INIT: tuple[Config, ...] = (
    {"type": "Kaiming", "layer": "Conv2d"},
    {"type": "Constant", "val": 1, "layer": ["_BatchNorm", "GroupNorm"]},
)
LINEAR_INIT: Config = {"type": "Normal", "layer": "Linear", "std": 0.01}


class StagedNet(nn.Module):
    """A network that is a stem, a row of stages and, where there are classes, a head.

    A subclass makes its layers and names them: ``stem_names`` and ``stage_names`` are the
    attributes that an image runs through, in this order. Everything else is here.

    Args:
        num_stages: How many stages the network has.
        out_indices: The stages whose feature maps are returned, from 0; -1 is the last.
        frozen_stages: -1 freezes nothing, 0 the stem, ``n`` the stem and the first n stages.
            What is frozen gets no gradient and stays in evaluation mode.
        norm_eval: Whether batch norms stay in evaluation mode while training.
        num_classes: Classes to tell apart; ``None`` makes a backbone without a head.
        **base: Arguments of the next base class.
    """

    stem_names: tuple[str, ...] = ()
    stage_names: tuple[str, ...] = ()
    stage_channels: tuple[int, ...] = ()

    def __init__(
        self,
        *,
        num_stages: int,
        out_indices: Sequence[int],
        frozen_stages: int = -1,
        norm_eval: bool = False,
        num_classes: int | None = None,
        **base: Any,
    ) -> None:
        super().__init__(**base)
        family = type(self).__name__
        if not all(-num_stages <= i < num_stages for i in out_indices):
            allowed = f"indices of its {num_stages} stages"
            raise ArchitectureError(family, "out_indices", tuple(out_indices), allowed)
        if not -1 <= frozen_stages <= num_stages:
            allowed = f"-1 (none), 0 (the stem) to {num_stages}"
            raise ArchitectureError(family, "frozen_stages", frozen_stages, allowed)
        if num_classes is not None and num_classes < 1:
            raise ArchitectureError(family, "num_classes", num_classes, "at least 1, or None")
        self.num_stages = num_stages
        self.out_indices = tuple(i % num_stages for i in out_indices)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.num_classes = num_classes

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each feature map that is returned."""
        return tuple(self.stage_channels[i] for i in sorted(self.out_indices))

    def _add_classifier(self, dropout: float = 0.0) -> None:
        """Add the linear classifier, if there are classes.

        Args:
            dropout: Share of the pooled features that training leaves out.
        """
        if self.num_classes is not None:
            self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
            self.fc = nn.Linear(self.stage_channels[-1], self.num_classes)

    def _run(self, x: Tensor, out_indices: Collection[int]) -> tuple[Tensor, ...]:
        """Run the stem and the stages up to the last that is asked for."""
        for name in self.stem_names:
            x = getattr(self, name)(x)
        outs = []
        for i, name in enumerate(self.stage_names[: max(out_indices, default=-1) + 1]):
            x = getattr(self, name)(x)
            if i in out_indices:
                outs.append(x)
        return tuple(outs)

    def forward_features(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps of the stages ``out_indices``.

        Args:
            x: Images, ``(N, in_channels, H, W)``.

        Returns:
            A feature map ``(N, C_i, H_i, W_i)`` for each stage asked for, in their order.
        """
        return self._run(x, self.out_indices)

    def forward_head(self, x: Tensor) -> Tensor:
        """Turn the last stage's feature map ``(N, C, H, W)`` into scores ``(N, num_classes)``."""
        scores: Tensor = self.fc(self.dropout(F.adaptive_avg_pool2d(x, 1).flatten(1)))
        return scores

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute scores ``(N, num_classes)``, or without classes the feature maps."""
        if self.num_classes is None:
            return self.forward_features(x)
        return self.forward_head(self._run(x, (self.num_stages - 1,))[-1])

    def _frozen_modules(self) -> list[nn.Module]:
        """Give what ``frozen_stages`` covers, if it is not negative."""
        return [getattr(self, n) for n in self.stem_names + self.stage_names[: self.frozen_stages]]

    def _freeze(self) -> None:
        """Stop gradients and statistics of what ``frozen_stages`` covers."""
        if self.frozen_stages >= 0:
            for module in self._frozen_modules():
                module.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """Set the mode, but keep frozen stages (and batch norms, if asked) evaluating."""
        super().train(mode)
        if mode:
            self._freeze()
            if self.norm_eval:
                for module in self.modules():
                    if isinstance(module, _BatchNorm):
                        module.eval()
        return self


class BackboneOptions(TypedDict, total=False):
    """Options that all networks share by keyword.

    Attributes:
        frozen_stages: -1 freezes nothing, 0 the stem, n the stem and the first n stages.
        norm_eval: Whether batch norms stay in evaluation mode while training.
        num_classes: Classes to tell apart; ``None`` makes a backbone without a head.
        pretrained: A checkpoint that ``init_weights()`` loads: short for
            ``init_cfg=dict(type="Pretrained", checkpoint=pretrained)``.
        init_cfg: How ``init_weights()`` fills the weights; by default He's normal distribution
            for convolutions and ones for norms.
    """

    frozen_stages: int
    norm_eval: bool
    num_classes: int | None
    pretrained: str | None
    init_cfg: InitConfig | None


class Backbone(StagedNet, BaseModule):
    """A staged network that initialises from a config.

    Args:
        num_stages: How many stages the network has.
        out_indices: The stages whose feature maps are returned, from 0; -1 is the last.
        pretrained: See :class:`BackboneOptions`.
        init_cfg: See :class:`BackboneOptions`.
        **options: The rest of :class:`BackboneOptions`.
    """

    def __init__(
        self,
        *,
        num_stages: int,
        out_indices: Sequence[int],
        pretrained: str | None = None,
        init_cfg: InitConfig | None = None,
        **options: Any,
    ) -> None:
        if pretrained is not None:
            if init_cfg is not None:
                allowed = "None where init_cfg is given"
                raise ArchitectureError(type(self).__name__, "pretrained", pretrained, allowed)
            init_cfg = {"type": "Pretrained", "checkpoint": pretrained}
        if unknown := sorted(options.keys() - BackboneOptions.__annotations__.keys()):
            hints = (suggest(name, _arguments(type(self))) for name in unknown)
            raise TypeError(
                f"{type(self).__name__} has no argument {', '.join(unknown)}; "
                f"{' '.join(filter(None, hints)) or 'see its documentation'}"
            )
        default = [*KAIMING_INIT, *([LINEAR_INIT] if options.get("num_classes") else [])]
        super().__init__(
            num_stages=num_stages, out_indices=out_indices, init_cfg=init_cfg or default, **options
        )
        self.initialises_itself = init_cfg is None


def _arguments(kind: type[StagedNet]) -> list[str]:
    """Name what a network and its bases take, for who has misspelt it."""
    makers = (base.__init__ for base in kind.__mro__ if issubclass(base, StagedNet))
    own = (name for make in makers for name in inspect.signature(make).parameters)
    return [*dict.fromkeys([*own, *BackboneOptions.__annotations__])]
