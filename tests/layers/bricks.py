"""Every layer of the package, with an input for it."""

from collections.abc import Callable
from dataclasses import dataclass

import brickwork_layers as layers
import torch
from torch import Tensor, nn

SEQUENCE = (2, 4, 8)
IMAGE = (2, 4, 8, 8)
VOLUME = (2, 4, 4, 4, 4)
BY_DIM = {"1": SEQUENCE, "2": IMAGE, "3": VOLUME}


@dataclass(frozen=True)
class Brick:
    """A layer to test.

    Args:
        name: Registry and name in it, or the class.
        build: Builds the layer.
        shape: Shape of an input, batch first.
    """

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]

    def input(self, batch: int | None = None) -> Tensor:
        """Return an input, the same at each call."""
        shape = self.shape if batch is None else (batch, *self.shape[1:])
        return torch.randn(shape, generator=torch.Generator().manual_seed(3))

    def seeded(self) -> nn.Module:
        """Build the layer, the same at each call."""
        torch.manual_seed(0)
        return self.build()

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def _shape(name: str) -> tuple[int, ...]:
    digits = [letter for letter in name if letter in BY_DIM]
    return BY_DIM[digits[-1]] if digits else IMAGE


def _bricks() -> list[Brick]:
    bricks = [
        Brick(
            f"conv {name}",
            lambda name=name: layers.build_conv_layer({"type": name}, 4, 6, 3, padding=1),
            _shape(name),
        )
        for name in layers.CONV_LAYERS
    ]
    norms = {"GN": {"num_groups": 2}, "IN": {"affine": True}}
    bricks += [
        Brick(
            f"norm {name}",
            lambda name=name: layers.build_norm_layer(
                {"type": name, **norms.get(name, {})}, 8 if name in ("LN", "RMSNorm") else 4
            )[1],
            _shape(name),
        )
        for name in layers.NORM_LAYERS
    ]
    acts = {
        "Threshold": {"threshold": 0.1, "value": 0.2},
        "Softmax": {"dim": 1},
        "LogSoftmax": {"dim": 1},
        "Softmin": {"dim": 1},
        "HSigmoid": {"bias": 1.0, "divisor": 2.0},
    }
    bricks += [
        Brick(
            f"act {name}",
            lambda name=name: layers.build_activation_layer({"type": name, **acts.get(name, {})}),
            IMAGE,
        )
        for name in layers.ACTIVATION_LAYERS
    ]
    bricks += [
        Brick(
            f"pad {name} {dim}d",
            lambda name=name, dim=dim: layers.build_padding_layer(
                {"type": name, "dim": dim, **({"value": 0.5} if name == "constant" else {})}, 2
            ),
            BY_DIM[str(dim)],
        )
        for name in layers.PADDING_LAYERS
        for dim in (1, 2, 3)
    ]
    deconv = {"in_channels": 4, "out_channels": 3, "kernel_size": 4, "stride": 2, "padding": 1}
    ups = {
        "pixel_shuffle": {
            "in_channels": 4,
            "out_channels": 3,
            "scale_factor": 2,
            "upsample_kernel": 3,
        },
        "deconv": deconv,
        "deconv1d": deconv,
        "deconv3d": deconv,
    }
    shapes = {"linear": SEQUENCE, "trilinear": VOLUME, "deconv1d": SEQUENCE, "deconv3d": VOLUME}
    bricks += [
        Brick(
            f"up {name}",
            lambda name=name: layers.build_upsample_layer(
                {"type": name, **ups.get(name, {"scale_factor": 2})}
            ),
            shapes.get(name, IMAGE),
        )
        for name in layers.UPSAMPLE_LAYERS
    ]
    bricks += [
        Brick(f"drop {name}", lambda name=name: layers.build_dropout({"type": name}), IMAGE)
        for name in layers.DROPOUT_LAYERS
    ]
    return [
        *bricks,
        Brick("HSwish", lambda: layers.HSwish(inplace=True), IMAGE),
        Brick("Scale", lambda: layers.Scale(2.0), IMAGE),
        Brick("LayerScale", lambda: layers.LayerScale(8, scale=0.5), IMAGE),
        Brick(
            "LayerScale first",
            lambda: layers.LayerScale(4, data_format="channels_first", scale=0.5),
            IMAGE,
        ),
        Brick("GRN last", lambda: layers.GRN(8, data_format="channels_last"), IMAGE),
        Brick("MaxPool2d", lambda: layers.MaxPool2d(2), IMAGE),
        Brick("MaxPool3d", lambda: layers.MaxPool3d(2), VOLUME),
        Brick("Linear", lambda: layers.Linear(8, 5), IMAGE),
    ]


BRICKS = _bricks()


def _own_bricks() -> list[Brick]:
    """Return a brick of each class that this package defines with a forward of its own."""
    by_class: dict[type, Brick] = {}
    for brick in BRICKS:
        layer_class = type(brick.build())
        if layer_class.__module__.startswith("brickwork_layers") and "forward" in vars(layer_class):
            by_class.setdefault(layer_class, brick)
    return list(by_class.values())


OWN_BRICKS = _own_bricks()
