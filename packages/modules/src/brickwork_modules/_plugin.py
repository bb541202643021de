"""Plugins from configs: blocks that a network puts between its own layers."""

import re
from typing import Any

from brickwork_registry import build_from_cfg
from torch import nn

from ._registries import PLUGIN_LAYERS
from ._typing import Config

# A capital that begins a word: after a small letter or digit, or before a small letter.
_WORD = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def infer_abbr(class_type: type) -> str:
    """Infer the short name of a plugin's class, under which networks keep their plugins.

    Args:
        class_type: The class.

    Returns:
        Its ``_abbr_`` if it has one; else its name in snake case.

    Raises:
        TypeError: If `class_type` is no class.

    Example:
        >>> class FancyBlock: ...
        >>> infer_abbr(FancyBlock)
        'fancy_block'
    """
    if not isinstance(class_type, type):
        raise TypeError(f"class_type must be a class, but got {class_type!r}")
    own: str | None = getattr(class_type, "_abbr_", None)
    return _WORD.sub("_", class_type.__name__).replace("-", "_").lower() if own is None else own


def build_plugin_layer(
    cfg: Config, postfix: int | str = "", **kwargs: Any
) -> tuple[str, nn.Module]:
    """Build a plugin.

    Args:
        cfg: ``type`` is one of `PLUGIN_LAYERS`; the other keys are arguments of its constructor.
        postfix: What to append to the name.
        **kwargs: More arguments of the constructor.

    Returns:
        The name to keep it under (``'context_block1'``: see `infer_abbr`), and the plugin.

    Raises:
        TypeError: If `cfg` is no dict, `postfix` neither an int nor a str, or an argument does
            not fit or is given twice.
        KeyError: If `cfg` has no ``type``, or an unknown one.

    Example:
        >>> name, plugin = build_plugin_layer(dict(type='ContextBlock', ratio=1 / 4), 1,
        ...                                   in_channels=16)
        >>> name
        'context_block1'
    """
    if not isinstance(postfix, int | str):
        raise TypeError(f"postfix must be an int or a str, but got {postfix!r}")
    for name in kwargs.keys() & {*cfg} if isinstance(cfg, dict) else ():
        raise TypeError(
            f"plugin got multiple values for argument {name!r}: the config says {cfg[name]!r}, "
            f"the caller of the builder {kwargs[name]!r}; take it out of the config"
        )
    layer: nn.Module = build_from_cfg(cfg, PLUGIN_LAYERS, kwargs)
    return f"{infer_abbr(type(layer))}{postfix}", layer
