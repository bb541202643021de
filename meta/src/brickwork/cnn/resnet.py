"""ResNet as in ``mmcv.cnn``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from brickwork_models import BasicBlock as BasicBlock
from brickwork_models import Bottleneck as Bottleneck
from brickwork_models import ClassicBackbone
from brickwork_models import make_res_layer as make_res_layer
from brickwork_models.errors import ArchitectureError
from torch import nn


class ResNet(ClassicBackbone):
    """ResNet with the conventions of ``mmcv.cnn``.

    From "Deep Residual Learning for Image Recognition", arXiv:1512.03385. It has the parameter
    names of :class:`brickwork_models.ResNet`, but no variants. It freezes in ``train()`` and not
    before, returns a single feature map without a tuple, and its ``init_weights`` takes a
    checkpoint and does not let the blocks start as the identity.

    Args:
        depth: 18, 34, 50, 101 or 152.
        num_stages: Number of stages, 1 to 4.
        strides: Stride of each stage.
        dilations: Dilation of each stage.
        out_indices: Indices of the stages whose feature maps are returned.
        style: Which convolution of a bottleneck has the stride: ``"pytorch"`` the 3x3 one,
            ``"caffe"`` the first.
        frozen_stages: -1 freezes nothing, 0 the stem, n the stem and the first n stages.
        bn_eval: Whether batch norms stay in evaluation mode.
        bn_frozen: Whether batch norms get no gradient either; needs ``bn_eval``.
        with_cp: Whether activations are recomputed in the backward pass instead of stored.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 4, 8, 16, 32.
    """

    arch_settings: ClassVar[dict[int, tuple[type[BasicBlock | Bottleneck], tuple[int, ...]]]] = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    stem_names = ("conv1", "bn1", "relu", "maxpool")

    def __init__(
        self,
        depth: int,
        num_stages: int = 4,
        strides: Sequence[int] = (1, 2, 2, 2),
        dilations: Sequence[int] = (1, 1, 1, 1),
        out_indices: Sequence[int] = (0, 1, 2, 3),
        style: str = "pytorch",
        frozen_stages: int = -1,
        bn_eval: bool = True,
        bn_frozen: bool = False,
        with_cp: bool = False,
    ) -> None:
        if depth not in self.arch_settings:
            raise ArchitectureError("ResNet", "depth", depth, tuple(self.arch_settings))
        if not 1 <= num_stages <= 4:
            raise ArchitectureError("ResNet", "num_stages", num_stages, "1 to 4")
        for argument, value in (("strides", strides), ("dilations", dilations)):
            if len(value) != num_stages:
                allowed = f"a sequence of length {num_stages}, one item per stage"
                raise ArchitectureError("ResNet", argument, value, allowed)
        super().__init__(
            num_stages=num_stages,
            out_indices=out_indices,
            frozen_stages=frozen_stages,
            bn_eval=bn_eval,
            bn_frozen=bn_frozen,
        )
        block, blocks = self.arch_settings[depth]
        self.style, self.with_cp, self.inplanes = style, with_cp, 64
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        stage_stride = 4
        for i in range(num_stages):
            planes = 64 * 2**i
            stage = make_res_layer(
                block, self.inplanes, planes, blocks[i], strides[i], dilations[i], style, with_cp
            )
            self.inplanes = planes * block.expansion
            stage_stride *= strides[i]
            self.add_module(f"layer{i + 1}", stage)
            self.stage_names += (f"layer{i + 1}",)
            self.stage_channels += (self.inplanes,)
            self.stage_strides += (stage_stride,)
        self.res_layers = list(self.stage_names)
        self.feat_dim = self.inplanes
