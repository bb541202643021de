"""The names of ImageNet's classes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Give the names of ImageNet's 1000 classes.

    Returns:
        The names in the order in which the pretrained classifiers number them.
    """
    text = files("brickwork_models").joinpath("data", "imagenet_classes.txt").read_text("utf-8")
    return tuple(text.splitlines())
