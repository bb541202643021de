"""Checks of what only a GPU shows.

Each function `check_*` takes the device. On the CPU they run as a rehearsal: the same code without
the GPU's kernels.
"""

from __future__ import annotations

import copy
import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import brickwork_layers as layers
import brickwork_modules as modules
import brickwork_ops as ops
import torch
import torch.distributed as dist
from brickwork_base import BaseModule, Sequential
from brickwork_init import deferred
from brickwork_zoo import load_checkpoint, load_model, read_checkpoint, save_checkpoint
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from tests.layers.bricks import BRICKS

# TF32 and cuDNN's algorithms give about three digits, half precision two.
CLOSE = {"rtol": 1e-3, "atol": 1e-3}
HALF_CLOSE = {"rtol": 5e-2, "atol": 5e-2}

BN = {"type": "BN"}
IMAGE, TOKENS = (2, 8, 12, 10), (7, 2, 8)
MODULES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "ConvModule": (lambda: modules.ConvModule(8, 4, 3, norm_cfg=BN), IMAGE),
    "DepthwiseSeparableConvModule": (
        lambda: modules.DepthwiseSeparableConvModule(8, 4, 3, norm_cfg=BN),
        IMAGE,
    ),
    "NonLocal2d": (lambda: modules.NonLocal2d(8, sub_sample=True), IMAGE),
    "ContextBlock": (lambda: modules.ContextBlock(8, 0.5), IMAGE),
    "GeneralizedAttention": (lambda: modules.GeneralizedAttention(8, num_heads=2), IMAGE),
    "MultiheadAttention": (lambda: modules.MultiheadAttention(8, 2), TOKENS),
    "FFN": (lambda: modules.FFN(8, 12), TOKENS),
    "DeformConv2dPack": (lambda: ops.DeformConv2dPack(8, 4, 3, padding=1), IMAGE),
    "ModulatedDeformConv2dPack": (
        lambda: ops.ModulatedDeformConv2dPack(8, 4, 3, padding=1),
        IMAGE,
    ),
    "SAConv2d": (lambda: ops.SAConv2d(8, 4, 3, padding=1), IMAGE),
}


class Classifier(BaseModule):
    """Convolutions with 16 MB of parameters and a rule for each kind of layer."""

    def __init__(self, init_cfg: object = None) -> None:
        rules = [
            {"type": "Kaiming", "layer": "Conv2d"},
            {"type": "TruncNormal", "layer": "Linear", "std": 0.02},
        ]
        super().__init__(init_cfg or rules)
        self.features = Sequential(
            nn.Conv2d(3, 512, 3, padding=1), nn.ReLU(), nn.Conv2d(512, 768, 3)
        )
        self.head = nn.Linear(768, 100)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, 100) of images (N, 3, H, W)."""
        return self.head(self.features(x).mean((2, 3)))


def every_brick() -> Iterator[tuple[str, nn.Module, Tensor]]:
    """Yield name, module in eval mode and input of every layer and module."""
    for brick in BRICKS:
        yield brick.name, brick.seeded().eval(), brick.input()
    for name, (build, shape) in MODULES.items():
        torch.manual_seed(0)
        yield name, build().eval(), torch.randn(shape)


def output_of(module: nn.Module, x: Tensor) -> Tensor:
    """Return the output for a copy of an input, because some layers work in place."""
    output = module(x.clone())
    return output[0] if isinstance(output, tuple) else output


def assert_close(
    name: str, actual: Tensor, expected: Tensor, tolerance: Mapping[str, float] = CLOSE
) -> None:
    """Compare tensors; the error begins with a name."""
    torch.testing.assert_close(actual, expected, **tolerance, msg=lambda text: f"{name}: {text}")


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Initialize a process group of this process alone."""
    with socket.socket() as free_port:
        free_port.bind(("127.0.0.1", 0))
        port = free_port.getsockname()[1]
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", rank=0, world_size=1)
    try:
        yield
    finally:
        dist.destroy_process_group()


def check_initialization_draws_on_the_device(device: torch.device) -> None:
    states = []
    for _ in range(2):
        with device:
            model = Classifier()
        torch.manual_seed(0)
        model.init_weights()
        states.append(model.state_dict())
    for key, value in states[0].items():
        assert value.device.type == device.type, key
        assert torch.equal(value, states[1][key]), key
    weight = states[0]["features.2.weight"]
    expected = (2 / (768 * 9)) ** 0.5  # Kaiming, fan_out
    assert abs(float(weight.std()) / expected - 1) < 0.02


def check_map_location_is_the_device(device: torch.device) -> None:
    model = Classifier()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pth"
        save_checkpoint(model, path)
        state = read_checkpoint(path, map_location=device.type)["state_dict"]
        assert all(value.device.type == device.type for value in state.values())
        target = Classifier().to(device)
        load_checkpoint(target, path, map_location=device.type, strict=True)
    for key, value in target.state_dict().items():
        assert torch.equal(value.cpu(), model.state_dict()[key]), key


def check_load_model_builds_on_the_device_without_a_second_copy(device: torch.device) -> None:
    model = Classifier()
    size = sum(value.numel() * value.element_size() for value in model.state_dict().values())

    def build() -> Classifier:
        with device:
            return Classifier()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pth"
        save_checkpoint(model, path)
        if device.type == "cuda":
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
        loaded = load_model(build, path, strict=True)
        if device.type == "cuda":
            peak = torch.cuda.max_memory_allocated() - before
            assert peak <= 1.1 * size, f"peak {peak / size:.2f} x the model"
    for key, value in loaded.state_dict().items():
        assert value.device.type == device.type, key
        assert torch.equal(value.cpu(), model.state_dict()[key]), key


def check_deferred_model_initializes_on_the_device(device: torch.device) -> None:
    with device:
        torch.manual_seed(0)
        expected = Classifier()
        torch.manual_seed(1)
        expected.init_weights()
    with device, deferred():
        model = Classifier()
    torch.manual_seed(1)
    model.init_weights()
    for key, value in model.state_dict().items():
        assert value.device.type == device.type, key
    weight = "features.0.weight"
    assert torch.equal(model.state_dict()[weight], expected.state_dict()[weight])


def check_every_brick_gives_the_output_of_the_cpu(device: torch.device) -> None:
    for name, module, x in every_brick():
        with torch.no_grad():
            expected = output_of(module, x)
            result = output_of(copy.deepcopy(module).to(device), x.to(device))
        assert result.device.type == device.type, name
        torch.testing.assert_close(
            result.cpu(), expected, **CLOSE, msg=lambda m, n=name: f"{n}: {m}"
        )


def check_every_brick_runs_under_autocast(device: torch.device) -> None:
    for dtype in (torch.bfloat16, torch.float16):
        for name, module, x in every_brick():
            module, x = module.to(device), x.to(device)
            with torch.no_grad():
                expected = output_of(module, x)
                with torch.autocast(device.type, dtype):
                    result = output_of(module, x)
            assert_close(f"{name}, {dtype}", result.float(), expected, HALF_CLOSE)


def check_every_image_brick_runs_channels_last(device: torch.device) -> None:
    for name, module, x in every_brick():
        if x.dim() != 4:
            continue
        module, x = module.to(device), x.to(device)
        with torch.no_grad():
            expected = output_of(module, x)
            module = module.to(memory_format=torch.channels_last)
            result = output_of(module, x.to(memory_format=torch.channels_last))
        assert_close(name, result, expected)


def check_modules_compile(device: torch.device) -> None:
    backend = "inductor" if device.type == "cuda" else "aot_eager"
    for name in ("ConvModule", "FFN", "ModulatedDeformConv2dPack"):
        build, shape = MODULES[name]
        torch.manual_seed(0)
        module, x = build().to(device).eval(), torch.randn(shape, device=device)
        compiled = torch.compile(module, backend=backend, fullgraph=True)
        with torch.no_grad():
            torch.testing.assert_close(output_of(compiled, x), output_of(module, x), **CLOSE)


def check_sync_bn_in_a_group_of_one_is_batch_norm(device: torch.device) -> None:
    x = torch.randn(4, 3, 5, 6, device=device)
    plain = nn.BatchNorm2d(3, device=device)
    _, norm = layers.build_norm_layer({"type": "SyncBN"}, 3)
    norm = norm.to(device)
    with process_group(device):
        torch.testing.assert_close(norm(x), plain(x), **CLOSE)
    torch.testing.assert_close(norm.running_var, plain.running_var, **CLOSE)


def check_fsdp2_initializes_loads_and_trains(device: torch.device) -> None:
    with process_group(device), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pth"
        reference = Classifier()
        reference.init_weights()
        save_checkpoint(reference, path)
        mesh = init_device_mesh(device.type, (1,))
        with device, deferred():
            model = Classifier()
        fully_shard(model, mesh=mesh)
        model.init_weights()
        load_checkpoint(model, path, strict=True)
        for key, value in model.state_dict().items():
            assert torch.equal(value.full_tensor().cpu(), reference.state_dict()[key]), key
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        x = torch.randn(2, 3, 8, 8, device=device)
        before = float(model(x).square().mean().detach())
        for _ in range(3):
            optimizer.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            optimizer.step()
        assert float(model(x).square().mean().detach()) < before


def check_operators_give_the_results_of_the_cpu(device: torch.device) -> None:
    torch.manual_seed(0)
    corners = torch.rand(50, 2) * 20
    boxes, scores = torch.cat([corners, corners + 1 + torch.rand(50, 2) * 10], 1), torch.rand(50)
    rois = torch.cat([torch.randint(2, (50, 1)).float(), boxes], 1)
    features = torch.rand(2, 4, 32, 32)
    logits, labels = torch.randn(50, 5), torch.randint(5, (50,))
    operators: dict[str, tuple[Callable[..., object], tuple[Tensor, ...]]] = {
        "nms": (lambda b, s: ops.nms(b, s, 0.5)[1], (boxes, scores)),
        "bbox_overlaps": (ops.bbox_overlaps, (boxes, boxes)),
        "roi_align": (lambda f, r: ops.roi_align(f, r, (7, 7)), (features, rois)),
        "sigmoid_focal_loss": (ops.sigmoid_focal_loss, (logits, labels)),
    }
    for name, (operator, inputs) in operators.items():
        expected = operator(*inputs)
        result = operator(*(tensor.to(device) for tensor in inputs))
        torch.testing.assert_close(
            result.cpu(), expected, **CLOSE, msg=lambda m, n=name: f"{n}: {m}"
        )


CHECKS = {name: value for name, value in globals().items() if name.startswith("check_")}
