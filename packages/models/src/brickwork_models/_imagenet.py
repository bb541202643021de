"""Names of the ImageNet-1k classes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the names of the 1000 classes of ImageNet-1k.

    Returns:
        The names in the order of the pretrained classifiers' outputs.
    """
    text = files("brickwork_models").joinpath("data", "imagenet_classes.txt").read_text("utf-8")
    return tuple(text.splitlines())
