r"""Key maps: from other libraries' parameter names to those of this package.

A key map is a list of ``(pattern, replacement)`` pairs that :func:`re.sub` applies to every key,
one after the other: the ``revise_keys`` of every function that loads a checkpoint. It is plain
data, so a config can contain it.
"""

from __future__ import annotations

import re

KeyMap = list[tuple[str, str]]

OPENMMLAB: KeyMap = [(r"^module\.", ""), (r"^backbone\.", ""), (r"^head\.fc\.", "fc.")]
"""Whole classifiers of mmcls and mmpretrain: wrapper, backbone and head."""

SHARED_KEY_MAPS: dict[str, KeyMap] = {
    "torchvision/same": [],
    "timm/same": [],
    "mmcls/same": OPENMMLAB,
    "open-mmlab/same": OPENMMLAB,
}
"""Key maps of the models whose parameter names are the same up to a prefix."""

BACKBONE = {"open-mmlab": "open-mmlab/same"}
MMCLS = {**BACKBONE, "mmcls": "mmcls/same"}
SAME = {**MMCLS, "torchvision": "torchvision/same", "timm": "timm/same"}


def rename(key: str, rules: KeyMap) -> str:
    """Apply a key map to one key.

    Args:
        key: Key of a checkpoint.
        rules: The key map.

    Returns:
        The key of this package.
    """
    for pattern, replacement in rules:
        key = re.sub(pattern, replacement, key)
    return key
