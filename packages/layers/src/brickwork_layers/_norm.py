"""Norm layers from configs."""

from brickwork_registry.errors import ArgumentTypeError
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from ._build import accepts, build_layer, first_parameter, resolve_config
from ._dimension import of_dimension
from ._grn import GRN
from ._layer_norm_2d import LayerNorm2d
from ._registries import NORM_LAYERS, register_builtin
from ._sync_bn import SyncBatchNorm
from ._typing import LayerConfig

register_builtin(
    NORM_LAYERS,
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
    defaults={
        "LN2d": LayerNorm2d,
        "RMSNorm": nn.RMSNorm,
        "GRN": GRN,
    },
)

# The order counts: base classes of a norm may match too.
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
    """Return the abbreviation of a norm class, which models use as attribute name.

    Args:
        class_type: The class.

    Returns:
        The ``_abbr_`` of the class, if it has one; that of its base class (``'bn'`` for batch
        norms, ``'gn'``, ``'ln'``, ``'in'``, ...); one derived from its name; or ``'norm_layer'``.

    Raises:
        TypeError: If `class_type` is not a class.
    """
    if not isinstance(class_type, type):
        raise TypeError(f"class_type must be a class, got {class_type!r}")
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
    """Build a norm layer.

    Args:
        cfg: ``type`` is a name in `NORM_LAYERS`; ``requires_grad=False`` freezes the parameters;
            ``dim`` is the number of spatial dimensions of ``'BN'`` and ``'IN'``, 2 by default;
            the other keys are arguments of the layer. ``eps`` is 1e-5 by default.
        num_features: Number of channels of the input.
        postfix: Appended to the name.

    Returns:
        The name for the layer, `infer_abbr` with the postfix (``'bn'``, ``'gn1'``, ...), and the
        layer.

    Raises:
        TypeError: If `cfg` is not a dict, `postfix` neither an int nor a str, or an argument is
            invalid.
        KeyError: If `cfg` has no ``type``, or ``type`` is not registered.
        ValueError: If ``dim`` is not 1, 2 or 3.

    Example:
        >>> name, layer = build_norm_layer(dict(type='GN', num_groups=4), 32, postfix=1)
        >>> name, layer.num_groups, layer.num_channels
        ('gn1', 4, 32)
    """
    if not isinstance(postfix, int | str):
        raise ArgumentTypeError(f"postfix must be an int or a str, got {postfix!r}")
    factory, arguments = resolve_config(cfg, NORM_LAYERS)
    factory = of_dimension(factory, arguments)
    requires_grad = arguments.pop("requires_grad", None)
    if accepts(factory, "eps"):
        arguments.setdefault("eps", 1e-5)

    if first_parameter(factory) == "num_groups":  # group norms take the channels second
        if "num_groups" not in arguments:
            raise ArgumentTypeError(f"the config of {cfg['type']} must have num_groups, got {cfg}")
        layer = build_layer(NORM_LAYERS, factory, arguments, kwargs={"num_channels": num_features})
    else:
        layer = build_layer(NORM_LAYERS, factory, arguments, (num_features,))
    if requires_grad is not None:
        layer.requires_grad_(requires_grad)
    return f"{infer_abbr(type(layer))}{postfix}", layer


def is_norm(layer: nn.Module, exclude: type | tuple[type, ...] | None = None) -> bool:
    """Check whether a layer is a norm.

    Args:
        layer: The layer.
        exclude: Class, or tuple of classes, that do not count as norms.

    Returns:
        True for batch, instance, group, layer and RMS norms and `GRN`, unless excluded.

    Raises:
        TypeError: If `exclude` is not a class or a tuple of classes.
    """
    if exclude is not None:
        excluded = exclude if isinstance(exclude, tuple) else (exclude,)
        if not all(isinstance(item, type) for item in excluded):
            raise TypeError(f"exclude must be a class, a tuple of classes or None, got {exclude!r}")
        if isinstance(layer, excluded):
            return False
    return isinstance(layer, tuple(_BASES))
