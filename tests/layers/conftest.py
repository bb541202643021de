"""Every layer of the package, ready to build, with an input for it."""

from collections.abc import Callable
from dataclasses import dataclass

import brickwork_layers as layers
import pytest
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
        name: The registry and the name in it, or the class.
        build: Makes it.
        shape: Of an input that it takes, batch first.
    """

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]

    def input(self, batch: int | None = None) -> Tensor:
        """An input, of another size of batch if asked."""
        shape = self.shape if batch is None else (batch, *self.shape[1:])
        return torch.randn(shape, generator=torch.Generator().manual_seed(3))


def _shape(name: str) -> tuple[int, ...]:
    digits = [one for one in name if one in BY_DIM]
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


def _own() -> list[Brick]:
    """One brick of each class that is defined here and adds something to torch's."""
    found: dict[type, Brick] = {}
    for brick in BRICKS:
        kind = type(brick.build())
        if kind.__module__.startswith("brickwork_layers") and "forward" in vars(kind):
            found.setdefault(kind, brick)
    return list(found.values())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a `brick`, or an `own_brick`, with every one of them."""
    for argument, bricks in (("brick", lambda: BRICKS), ("own_brick", _own)):
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, bricks(), ids=lambda one: one.name.replace(" ", "-"))
