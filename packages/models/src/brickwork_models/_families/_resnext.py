"""ResNeXt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from brickwork_models._entries._entry import Entry
from brickwork_models._entries._key_map import BACKBONE, SAME
from brickwork_models._entries._preprocessing import PYCLS
from brickwork_models._entries._table import register_family
from brickwork_models._entries._weights import (
    CC_BY_SA,
    RESIZE_232,
    V1,
    V2,
    mmcls,
    open_mmlab,
    torchvision,
)
from brickwork_models._registry import MODELS

from ._resnet import DEPTHS, GN, GN_WS, V1D, ResNet

__all__ = ["ResNeXt"]


@MODELS.register_module()
class ResNeXt(ResNet):
    """ResNeXt: ResNet with grouped 3x3 convolutions.

    From "Aggregated Residual Transformations for Deep Neural Networks", arXiv:1611.05431.

    Args:
        depth: 50, 101 or 152.
        groups: Number of groups, the paper's cardinality.
        base_width: Channels per group in the first stage.
        **options: As of :class:`ResNet`.
    """

    depths: ClassVar = {depth: DEPTHS[depth] for depth in (50, 101, 152)}

    def __init__(self, depth: int, *, groups: int = 1, base_width: int = 4, **options: Any) -> None:
        super().__init__(depth, groups=groups, base_width=base_width, **options)


# Depth, groups, channels per group.
SIZES = {
    "resnext50_32x4d": (50, 32, 4),
    "resnext101_32x4d": (101, 32, 4),
    "resnext101_32x8d": (101, 32, 8),
    "resnext101_32x16d": (101, 32, 16),
    "resnext101_32x32d": (101, 32, 32),
    "resnext101_64x4d": (101, 64, 4),
    "resnext152_32x4d": (152, 32, 4),
}
TORCHVISION = {
    "resnext50_32x4d": torchvision("resnext50_32x4d", V1, V2),
    "resnext101_32x8d": torchvision("resnext101_32x8d", V1, V2),
    "resnext101_64x4d": torchvision("resnext101_64x4d", V1, preprocess=RESIZE_232),
}
MMCLS_NAMES = ("resnext50_32x4d", "resnext101_32x4d", "resnext101_32x8d", "resnext152_32x4d")
OPEN_MMLAB_NAMES = ("resnext50_32x4d", "resnext101_32x4d", "resnext101_64x4d")


def _entries() -> Iterator[Entry]:
    family = "ResNeXt"
    for name, (depth, groups, width) in SIZES.items():
        weights = TORCHVISION.get(name, ())
        weights += mmcls(name) if name in MMCLS_NAMES else ()
        weights += open_mmlab(name) if name in OPEN_MMLAB_NAMES else ()
        arguments = {"depth": depth, "groups": groups, "base_width": width}
        yield Entry(name, family, ResNeXt, arguments, weights, key_maps=SAME)
    d = {"depth": 50, "groups": 32, "deep_stem": True, "avg_down": True}
    yield Entry("resnext50d_32x4d", family, ResNeXt, d, key_maps=V1D)
    name = "detectron2/resnext101_32x8d"
    arguments = {"depth": 101, "groups": 32, "base_width": 8}
    weights = open_mmlab(name, PYCLS, CC_BY_SA)
    yield Entry(name, family, ResNeXt, arguments, weights, key_maps=BACKBONE)
    for depth in (50, 101):
        size = {"depth": depth, "groups": 32, "base_width": 4}
        for suffix, variant, norms in (("gn", "GN", GN), ("gn_ws", "GN+WS", GN_WS)):
            name = f"resnext{depth}_32x4d_{suffix}"
            yield Entry(
                f"jhu/{name}",
                f"ResNet {variant}",
                ResNeXt,
                size | norms,
                open_mmlab(f"jhu/{name}"),
                (name,),
                BACKBONE,
            )


register_family(_entries())
