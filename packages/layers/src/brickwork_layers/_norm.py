"""Norms from configs, and telling them from other layers."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from ._build import construct, first_parameter, split, takes
from ._dimension import of_dimension
from ._grn import GRN
from ._layer_norm_2d import LayerNorm2d
from ._registries import NORM_LAYERS
from ._sync_bn import SyncBatchNorm
from ._typing import LayerConfig

NORM_LAYERS.register_builtin(
    {
        "BN": nn.BatchNorm2d,
        "BN1d": nn.BatchNorm1d,
        "BN2d": nn.BatchNorm2d,
        "BN3d": nn.BatchNorm3d,
        "SyncBN": SyncBatchNorm,
        "GN": nn.GroupNorm,
        "LN": nn.LayerNorm,
        "IN": nn.InstanceNorm2d,
        "IN1d": nn.InstanceNorm1d,
        "IN2d": nn.InstanceNorm2d,
        "IN3d": nn.InstanceNorm3d,
    },
    overridable={
        "LN2d": LayerNorm2d,
        "RMSNorm": nn.RMSNorm,
        "GRN": GRN,
    },
)

# In this order: an instance norm of torch is a batch norm by its bases.
_BASES: dict[type[nn.Module], str] = {
    _InstanceNorm: "in",
    _BatchNorm: "bn",
    nn.GroupNorm: "gn",
    nn.LayerNorm: "ln",
    nn.RMSNorm: "rms",
    GRN: "grn",
}
_WORDS = {"batch": "bn", "group": "gn", "layer": "ln", "instance": "in"}


def infer_abbr(class_type: type) -> str:
    """Infer the short name of a class of norms, under which networks keep their norms.

    Args:
        class_type: The class.

    Returns:
        Its ``_abbr_`` if it has one; else that of its base (``'bn'`` for batch norms, ``'gn'``,
        ``'ln'``, ``'in'``, ...); else the one that its name suggests; else ``'norm_layer'``.

    Raises:
        TypeError: If `class_type` is no class.
    """
    if not isinstance(class_type, type):
        raise TypeError(f"class_type must be a class, but got {class_type!r}")
    own: str | None = getattr(class_type, "_abbr_", None)
    if own is not None:
        return own
    for base, abbreviation in _BASES.items():
        if issubclass(class_type, base):
            return abbreviation
    name = class_type.__name__.lower()
    return next((abbr for word, abbr in _WORDS.items() if word in name), "norm_layer")


def build_norm_layer(
    cfg: LayerConfig, num_features: int, postfix: int | str = ""
) -> tuple[str, nn.Module]:
    """Build a norm.

    Args:
        cfg: ``type`` is one of `NORM_LAYERS`; ``requires_grad=False`` freezes the parameters;
            ``dim`` is the number of spatial dimensions of ``'BN'`` and ``'IN'`` (2 if it is not
            given); the other keys are arguments of the constructor. ``eps`` is 1e-5 if it is not
            given.
        num_features: Channels of the input.
        postfix: What to append to the name.

    Returns:
        The name to keep it under (``'bn'``, ``'gn1'``, ...: see `infer_abbr`), and the norm.

    Raises:
        TypeError: If `cfg` is no dict, `postfix` neither an int nor a str, or an argument does
            not fit.
        KeyError: If `cfg` has no ``type``, or an unknown one.
        ValueError: If ``dim`` is not 1, 2 or 3.

    Example:
        >>> name, layer = build_norm_layer(dict(type='GN', num_groups=4), 32, postfix=1)
        >>> name, layer.num_groups, layer.num_channels
        ('gn1', 4, 32)
    """
    if not isinstance(postfix, int | str):
        raise TypeError(f"postfix must be an int or a str, but got {postfix!r}")
    factory, options = split(cfg, NORM_LAYERS)
    factory = of_dimension(factory, options)
    requires_grad = options.pop("requires_grad", None)
    if takes(factory, "eps"):
        options.setdefault("eps", 1e-5)

    if first_parameter(factory) == "num_groups":  # the channels come second in a group norm
        layer = construct(NORM_LAYERS, factory, options, kwargs={"num_channels": num_features})
    else:
        layer = construct(NORM_LAYERS, factory, options, (num_features,))
    if requires_grad is not None:
        layer.requires_grad_(requires_grad)
    return f"{infer_abbr(type(layer))}{postfix}", layer


def is_norm(layer: nn.Module, exclude: type | tuple[type, ...] | None = None) -> bool:
    """Tell whether a layer is a norm.

    Args:
        layer: The layer.
        exclude: A class, or classes, whose instances do not count.

    Returns:
        Whether it is a batch, instance, group, layer or RMS norm, or a `GRN`, and not excluded.

    Raises:
        TypeError: If `exclude` is not made of classes.
    """
    if exclude is not None:
        excluded = exclude if isinstance(exclude, tuple) else (exclude,)
        if not all(isinstance(one, type) for one in excluded):
            raise TypeError(
                f"exclude must be a class, a tuple of classes or None, but got {exclude!r}"
            )
        if isinstance(layer, excluded):
            return False
    return isinstance(layer, tuple(_BASES))
