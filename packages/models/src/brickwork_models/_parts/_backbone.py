"""Base classes of all models: stages, feature maps, freezing and the classifier."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Self, TypedDict, cast

import torch.nn.functional as F
from brickwork_base import BaseModule
from brickwork_init import initialize
from brickwork_registry import suggest
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from brickwork_models._typing import Config, InitConfig
from brickwork_models.errors import ArchitectureError, ModelError

KAIMING_INIT: tuple[Config, ...] = (
    {"type": "Kaiming", "layer": "Conv2d"},
    {"type": "Constant", "val": 1, "layer": ["_BatchNorm", "GroupNorm"]},
)


class StagedNet(nn.Module):
    """Model made of a stem, a sequence of stages and, optionally, a classifier.

    A subclass builds its layers and names them: ``stem_names`` and ``stage_names`` are the
    attributes through which an image passes, in this order; ``stage_channels`` and
    ``stage_strides`` describe the feature map of each stage.

    Args:
        num_stages: Number of stages.
        out_indices: Indices of the stages whose feature maps are returned, without duplicates;
            negative ones count from the last stage.
        frozen_stages: -1 freezes nothing, 0 the stem, ``n`` the stem and the first n stages.
            Frozen layers get no gradient and stay in evaluation mode.
        norm_eval: Whether batch norms stay in evaluation mode while training.
        num_classes: Number of classes; ``None`` builds a backbone without a classifier.
        **base: Arguments of the next base class.
    """

    stem_names: tuple[str, ...] = ()
    stage_names: tuple[str, ...] = ()
    stage_channels: tuple[int, ...] = ()
    stage_strides: tuple[int, ...] = ()
    classifier_name: ClassVar[str] = "fc"
    """Path of the last linear layer of the classifier."""
    classifier_init_cfg: ClassVar[Config] = {"type": "Normal", "layer": "Linear", "std": 0.01}
    """Initializer of the classifier."""

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
        self.out_indices = _check_out_indices(family, out_indices, num_stages)
        if not -1 <= frozen_stages <= num_stages:
            allowed = f"-1 (nothing), 0 (the stem) or 1 to {num_stages} (that many stages)"
            raise ArchitectureError(family, "frozen_stages", frozen_stages, allowed)
        if num_classes is not None and num_classes < 1:
            raise ArchitectureError(family, "num_classes", num_classes, "at least 1, or None")
        self.num_stages = num_stages
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.num_classes = num_classes

    @property
    def out_channels(self) -> tuple[int, ...]:
        """Channels of each returned feature map."""
        return tuple(self.stage_channels[i] for i in sorted(self.out_indices))

    @property
    def out_strides(self) -> tuple[int, ...]:
        """Stride of each returned feature map relative to the image."""
        return tuple(self.stage_strides[i] for i in sorted(self.out_indices))

    def _add_classifier(self, dropout: float = 0.0) -> None:
        """Add the linear classifier, if there are classes.

        Args:
            dropout: Dropout probability of the pooled features.
        """
        if self.num_classes is not None:
            self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
            self.fc = nn.Linear(self.stage_channels[-1], self.num_classes)

    def reset_classifier(self, num_classes: int) -> None:
        """Replace the last linear layer by a newly initialized one.

        Args:
            num_classes: New number of classes.

        Raises:
            ArchitectureError: ``num_classes`` is less than 1.
            ModelError: The model has no classifier.
        """
        family = type(self).__name__
        if num_classes < 1:
            raise ArchitectureError(family, "num_classes", num_classes, "at least 1")
        parent_name, _, name = self.classifier_name.rpartition(".")
        if not hasattr(self, self.classifier_name.partition(".")[0]):
            raise ModelError(
                f"{family} has no classifier to reset; build it with num_classes={num_classes}"
            )
        parent = self.get_submodule(parent_name)
        old = self.get_submodule(self.classifier_name)
        weight = cast(Tensor, old.weight)
        new = nn.Linear(weight.shape[1], num_classes, device=weight.device, dtype=weight.dtype)
        initialize(new, self.classifier_init_cfg)
        setattr(parent, name, new.train(old.training))
        self.num_classes = num_classes

    def _run(self, x: Tensor, out_indices: Collection[int]) -> tuple[Tensor, ...]:
        """Run the stem and the stages up to the last one in ``out_indices``."""
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
            x: Images ``(N, in_channels, H, W)``.

        Returns:
            A feature map ``(N, C_i, H_i, W_i)`` for each of these stages, in stage order.
        """
        return self._run(x, self.out_indices)

    def forward_head(self, x: Tensor) -> Tensor:
        """Compute logits ``(N, num_classes)`` from the last feature map ``(N, C, H, W)``."""
        logits: Tensor = self.fc(self.dropout(F.adaptive_avg_pool2d(x, 1).flatten(1)))
        return logits

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute logits ``(N, num_classes)``, or without classes the feature maps."""
        if self.num_classes is None:
            return self.forward_features(x)
        return self.forward_head(self._run(x, (self.num_stages - 1,))[-1])

    def _frozen_modules(self) -> list[nn.Module]:
        """Return the modules that ``frozen_stages`` covers, if it is not negative."""
        return [getattr(self, n) for n in self.stem_names + self.stage_names[: self.frozen_stages]]

    def _freeze(self) -> None:
        """Disable gradients and statistics updates of the frozen modules."""
        if self.frozen_stages >= 0:
            for module in self._frozen_modules():
                module.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> Self:
        """Set the mode; frozen stages (and batch norms, with ``norm_eval``) stay in evaluation."""
        super().train(mode)
        if mode:
            self._freeze()
            if self.norm_eval:
                for module in self.modules():
                    if isinstance(module, _BatchNorm):
                        module.eval()
        return self


def _check_out_indices(family: str, out_indices: object, num_stages: int) -> tuple[int, ...]:
    """Return the indices counted from 0."""
    allowed = f"a sequence of distinct stage indices from {-num_stages} to {num_stages - 1}"
    error = ArchitectureError(family, "out_indices", out_indices, allowed)
    if not isinstance(out_indices, Collection) or isinstance(out_indices, str | bytes):
        raise error
    if not all(isinstance(i, int) and -num_stages <= i < num_stages for i in out_indices):
        raise error
    indices = tuple(i % num_stages for i in out_indices)
    if len(set(indices)) < len(indices):
        raise error
    return indices


class BackboneOptions(TypedDict, total=False):
    """Keyword arguments that all models share.

    Attributes:
        frozen_stages: -1 freezes nothing, 0 the stem, n the stem and the first n stages.
        norm_eval: Whether batch norms stay in evaluation mode while training.
        num_classes: Number of classes; ``None`` builds a backbone without a classifier.
        pretrained: Checkpoint that ``init_weights()`` loads: short for
            ``init_cfg=dict(type="Pretrained", checkpoint=pretrained)``.
        init_cfg: Initializers that ``init_weights()`` applies; by default Kaiming's normal
            distribution for convolutions and ones for norms.
    """

    frozen_stages: int
    norm_eval: bool
    num_classes: int | None
    pretrained: str | None
    init_cfg: InitConfig | None


class Backbone(StagedNet, BaseModule):
    """Staged model that is initialized from a config.

    Args:
        num_stages: Number of stages.
        out_indices: Indices of the stages whose feature maps are returned, without duplicates;
            negative ones count from the last stage.
        pretrained: See :class:`BackboneOptions`.
        init_cfg: See :class:`BackboneOptions`.
        **options: The rest of :class:`BackboneOptions`.
    """

    default_init_cfg: ClassVar[tuple[Config, ...]] = KAIMING_INIT
    """Initializers of a model without ``init_cfg``, apart from its classifier's."""

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
                allowed = "None where init_cfg is set"
                raise ArchitectureError(type(self).__name__, "pretrained", pretrained, allowed)
            init_cfg = {"type": "Pretrained", "checkpoint": pretrained}
        if unknown := sorted(options.keys() - BackboneOptions.__annotations__.keys()):
            hints = (suggest(name, _argument_names(type(self))) for name in unknown)
            raise TypeError(
                f"{type(self).__name__} got unexpected argument {', '.join(unknown)}; "
                f"{' '.join(filter(None, hints)) or 'see its documentation'}"
            )
        default = [*self.default_init_cfg]
        if options.get("num_classes"):
            default.append(self.classifier_init_cfg)
        super().__init__(
            num_stages=num_stages, out_indices=out_indices, init_cfg=init_cfg or default, **options
        )
        self.uses_default_init = init_cfg is None


def _argument_names(model_class: type[StagedNet]) -> list[str]:
    """List the arguments of a model class and its bases, for suggestions."""
    constructors = (base.__init__ for base in model_class.__mro__ if issubclass(base, StagedNet))
    names = (name for init in constructors for name in inspect.signature(init).parameters)
    return [*dict.fromkeys([*names, *BackboneOptions.__annotations__])]
