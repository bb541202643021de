"""Plugins from configs: blocks that a model inserts between its own layers."""

import re
from typing import Any

from brickwork_registry import build_from_cfg
from brickwork_registry.errors import ArgumentTypeError
from torch import nn

from ._registries import PLUGIN_LAYERS
from ._typing import Config

# Start of a word in camel case: a capital after a lowercase letter or digit, or before a
# lowercase letter.
_WORD_START = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def infer_abbr(class_type: type) -> str:
    """Return the abbreviation of a plugin class, which models use as attribute name.

    Args:
        class_type: The class.

    Returns:
        The ``_abbr_`` of the class, or its name in snake case.

    Raises:
        TypeError: If `class_type` is not a class.

    Example:
        >>> class FancyBlock: ...
        >>> infer_abbr(FancyBlock)
        'fancy_block'
    """
    if not isinstance(class_type, type):
        raise TypeError(f"class_type must be a class, got {class_type!r}")
    own: str | None = getattr(class_type, "_abbr_", None)
    return (
        _WORD_START.sub("_", class_type.__name__).replace("-", "_").lower() if own is None else own
    )


def build_plugin_layer(
    cfg: Config, postfix: int | str = "", **kwargs: Any
) -> tuple[str, nn.Module]:
    """Build a plugin.

    Args:
        cfg: ``type`` is a name in `PLUGIN_LAYERS`; the other keys are arguments of the plugin.
        postfix: Appended to the name.
        **kwargs: Further arguments of the plugin.

    Returns:
        The name for the plugin, `infer_abbr` with the postfix (``'context_block1'``), and the
        plugin.

    Raises:
        TypeError: If `cfg` is not a dict, `postfix` neither an int nor a str, or an argument is
            invalid or in both `cfg` and the call.
        KeyError: If `cfg` has no ``type``, or ``type`` is not registered.

    Example:
        >>> name, plugin = build_plugin_layer(dict(type='ContextBlock', ratio=1 / 4), 1,
        ...                                   in_channels=16)
        >>> name
        'context_block1'
    """
    if not isinstance(postfix, int | str):
        raise ArgumentTypeError(f"postfix must be an int or a str, got {postfix!r}")
    for name in kwargs.keys() & {*cfg} if isinstance(cfg, dict) else ():
        raise TypeError(
            f"plugin layer: got multiple values for argument {name!r}: {cfg[name]!r} from the "
            f"config and {kwargs[name]!r} from the caller; remove it from the config"
        )
    layer: nn.Module = build_from_cfg(cfg, PLUGIN_LAYERS, kwargs)
    return f"{infer_abbr(type(layer))}{postfix}", layer
