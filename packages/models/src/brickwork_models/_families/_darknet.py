"""DarkNet-53, the backbone of YOLOv3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from brickwork_base import BaseModule
from brickwork_modules import ConvModule
from torch import Tensor, nn

from brickwork_models._entries._entry import Entry
from brickwork_models._entries._key_map import BACKBONE
from brickwork_models._entries._preprocessing import Preprocessing
from brickwork_models._entries._table import register_family
from brickwork_models._entries._weights import open_mmlab
from brickwork_models._parts._backbone import Backbone, BackboneOptions
from brickwork_models._registry import MODELS
from brickwork_models._typing import Config
from brickwork_models.errors import ArchitectureError

__all__ = ["Darknet"]

# Table 1 of the paper: channels and residual blocks of each stage.
STAGES = ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4))


class DarknetBlock(BaseModule):
    """Residual block: a 1x1 convolution to half the channels, a 3x3 convolution, a shortcut.

    Args:
        channels: Number of input and output channels.
        **layers: ``conv_cfg``, ``norm_cfg`` and ``act_cfg`` of the convolutions.
    """

    def __init__(self, channels: int, **layers: Any) -> None:
        super().__init__()
        self.conv1 = ConvModule(channels, channels // 2, 1, **layers)
        self.conv2 = ConvModule(channels // 2, channels, 3, padding=1, **layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, channels, H, W)`` to the same shape."""
        out: Tensor = self.conv2(self.conv1(x)) + x
        return out


@MODELS.register_module(name=["Darknet", "DarkNet53"])
class Darknet(Backbone):
    """DarkNet-53.

    From "YOLOv3: An Incremental Improvement", arXiv:1804.02767.

    Args:
        depth: 53.
        out_indices: Indices of the stages whose feature maps are returned; 0 is the first
            convolution.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms; ``None`` means batch norm.
        act_cfg: Config of the activations; ``None`` means LeakyReLU with slope 0.1.
        in_channels: Number of image channels.
        **options: See :class:`BackboneOptions`; ``norm_eval`` is true by default, and there is no
            stem to freeze.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 1, 2, 4, 8, 16, 32 (those of
        ``out_indices``), or to logits ``(N, num_classes)``.
    """

    def __init__(
        self,
        depth: int = 53,
        *,
        out_indices: Sequence[int] = (3, 4, 5),
        conv_cfg: Config | None = None,
        norm_cfg: Config | None = None,
        act_cfg: Config | None = None,
        in_channels: int = 3,
        **options: Unpack[BackboneOptions],
    ) -> None:
        if depth != 53:
            raise ArchitectureError("Darknet", "depth", depth, "53")
        options.setdefault("norm_eval", True)
        super().__init__(num_stages=len(STAGES) + 1, out_indices=out_indices, **options)
        layers: Config = {
            "conv_cfg": conv_cfg,
            "norm_cfg": norm_cfg or {"type": "BN"},
            "act_cfg": act_cfg or {"type": "LeakyReLU", "negative_slope": 0.1},
        }
        channels = 32
        self.conv1 = ConvModule(in_channels, channels, 3, padding=1, **layers)
        names = ["conv1"]
        for i, (outputs, blocks) in enumerate(STAGES, start=1):
            stage = nn.Sequential()
            stage.add_module(
                "conv", ConvModule(channels, outputs, 3, stride=2, padding=1, **layers)
            )
            for j in range(blocks):
                stage.add_module(f"res{j}", DarknetBlock(outputs, **layers))
            names.append(f"conv_res_block{i}")
            self.add_module(names[-1], stage)
            channels = outputs
        self.stage_names = tuple(names)
        self.stage_channels = (32, *(channels for channels, _ in STAGES))
        self.stage_strides = tuple(2**i for i in range(len(STAGES) + 1))
        self._add_classifier()
        self._freeze()


ZERO_TO_ONE = Preprocessing(size=256, mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0))

register_family(
    [
        Entry(
            "darknet53",
            "DarkNet",
            Darknet,
            weights=open_mmlab("darknet53", ZERO_TO_ONE),
            key_maps=BACKBONE,
        )
    ]
)
