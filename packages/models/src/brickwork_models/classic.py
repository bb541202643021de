"""The networks of ``mmcv.cnn``, where they differ from those of detection code.

``AlexNet``, ``VGG`` and the functions are the package's own; ``ResNet`` is the plain one with
``bn_eval`` and ``bn_frozen``, whose keys are those of :class:`brickwork_models.ResNet`.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ._alexnet import AlexNet as AlexNet
from ._classic import ClassicBackbone
from ._residual_stage import make_res_layer as make_res_layer
from ._resnet import DEPTHS
from ._vgg import VGG as VGG
from ._vgg import make_vgg_layer as make_vgg_layer
from .errors import ArchitectureError

__all__ = ["VGG", "AlexNet", "ResNet", "make_res_layer", "make_vgg_layer"]


class ResNet(ClassicBackbone):
    """ResNet as ``mmcv.cnn.ResNet`` is.

    From "Deep Residual Learning for Image Recognition", arXiv:1512.03385. It differs from
    :class:`brickwork_models.ResNet` in what it can (no variants), in freezing (from
    ``train()`` on), in its output (the only feature map is no tuple) and in ``init_weights``
    (which takes a checkpoint and never makes blocks start as the identity).

    Args:
        depth: 18, 34, 50, 101 or 152.
        num_stages: Number of stages, 1 to 4.
        strides: Stride of each stage.
        dilations: Dilation of each stage.
        out_indices: The stages whose feature maps are returned.
        style: ``"pytorch"`` strides in a bottleneck's 3x3 convolution, ``"caffe"`` in its
            first.
        frozen_stages: -1 freezes nothing, 0 the stem, n the stem and the first n stages.
        bn_eval: Whether batch norms stay in evaluation mode.
        bn_frozen: Whether batch norms get no gradient either; needs ``bn_eval``.
        with_cp: Whether blocks are recomputed backward.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 4, 8, 16, 32.
    """

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
        if depth not in DEPTHS:
            raise ArchitectureError("ResNet", "depth", depth, tuple(DEPTHS))
        if not 1 <= num_stages <= 4:
            raise ArchitectureError("ResNet", "num_stages", num_stages, "1 to 4")
        for argument, value in (("strides", strides), ("dilations", dilations)):
            if len(value) != num_stages:
                allowed = f"one for each of {num_stages} stages"
                raise ArchitectureError("ResNet", argument, value, allowed)
        super().__init__(
            num_stages=num_stages,
            out_indices=out_indices,
            frozen_stages=frozen_stages,
            bn_eval=bn_eval,
            bn_frozen=bn_frozen,
        )
        block, blocks = DEPTHS[depth]
        self.style, self.with_cp, self.inplanes = style, with_cp, 64
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        for i in range(num_stages):
            planes = 64 * 2**i
            stage = make_res_layer(
                block, self.inplanes, planes, blocks[i], strides[i], dilations[i], style, with_cp
            )
            self.inplanes = planes * block.expansion
            self.add_module(f"layer{i + 1}", stage)
            self.stage_names += (f"layer{i + 1}",)
            self.stage_channels += (self.inplanes,)
        self.res_layers = list(self.stage_names)
        self.feat_dim = self.inplanes
