"""Attributes that a module has in common with its convolution."""

from typing import Any

from torch import nn

_NAMES = (
    *("in_channels", "out_channels", "kernel_size", "stride", "dilation"),
    *("transposed", "output_padding", "groups"),
)


def _attribute(name: str) -> Any:
    """Return a property that reads and writes one attribute."""

    def get(module: "ConvAttributes") -> Any:
        return module._conv_attributes[name]

    def set_(module: "ConvAttributes", value: Any) -> None:
        module._conv_attributes[name] = value

    return property(get, set_)


class ConvAttributes:
    """Base class that has the attributes of a convolution.

    They keep their values when the convolution is replaced, and can be set.
    """

    _conv_attributes: dict[str, Any]

    in_channels: int = _attribute("in_channels")
    out_channels: int = _attribute("out_channels")
    kernel_size: tuple[int, ...] = _attribute("kernel_size")
    stride: tuple[int, ...] = _attribute("stride")
    dilation: tuple[int, ...] = _attribute("dilation")
    transposed: bool = _attribute("transposed")
    output_padding: tuple[int, ...] = _attribute("output_padding")
    groups: int = _attribute("groups")

    def _copy_attributes(self, conv: nn.Module) -> None:
        """Take over the attributes of a convolution."""
        self._conv_attributes = {name: getattr(conv, name) for name in _NAMES}
