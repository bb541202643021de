"""What each of four processes holds while a checkpoint is loaded into a model that they share.

Counted is memory of the process alone, without the pages of files, which the machine has once for
all processes.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.distributed as dist
from harness import FLOOR, OURS, Row
from torch import nn

WORLD, WIDTH, LAYERS = 4, 2048, 8
ONE_TENSOR = 4 * WIDTH * WIDTH / 1e6
SHARD = LAYERS * ONE_TENSOR / WORLD

FILE, FOLDER = "model.pth", "model.dcp"

# Cost -> (what is loaded and whether rank 0 sends it, which ranks count)
WAYS = {
    "every rank reads its part of a file": ((FILE, False), range(WORLD)),
    "every rank reads its part of a folder": ((FOLDER, False), range(WORLD)),
    "rank 0 reads and sends, rank 0": ((FILE, True), range(1)),
    "rank 0 reads and sends, the others": ((FILE, True), range(1, WORLD)),
}


def network() -> nn.Sequential:
    return nn.Sequential(*(nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(LAYERS)))


def held() -> float:
    """Return the megabytes that this process has for itself."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssAnon:")[1].split()[0]) * 1024 / 1e6


class Peak:
    """Watches `held` from a thread while its block runs."""

    def __enter__(self) -> Peak:
        self.most = self.before = held()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(0.0005):
            self.most = max(self.most, held())

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.most = max(self.most, held()) - self.before


def load_once(path: Path, *, broadcast: bool) -> float:
    """Load into a model without memory; return the megabytes held at most."""
    from brickwork_zoo import load_checkpoint
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    with torch.device("meta"):
        model = network()
    for layer in model:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    dist.barrier()
    with Peak() as peak:
        load_checkpoint(model, path, strict=True, broadcast=broadcast)
        dist.barrier()
    for n, layer in enumerate(model):
        assert layer.weight.to_local()[0, 0].item() == n
    return peak.most


def be_a_rank(folder: Path, name: str, broadcast: bool) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    global WIDTH
    wanted, WIDTH = WIDTH, 8
    load_once(
        folder / "small" / name, broadcast=broadcast
    )  # imports and connections are not what is measured
    WIDTH = wanted
    print(json.dumps(load_once(folder / name, broadcast=broadcast)), flush=True)
    dist.barrier()
    os._exit(0)  # gloo's threads may abort an interpreter that ends in the ordinary way


def write(folder: Path, width: int) -> None:
    """Save the values whole: in a file, and in a folder to which one process writes them."""
    from torch.distributed.checkpoint import save

    folder.mkdir(exist_ok=True)
    state = {f"{n}.weight": torch.full((width, width), float(n)) for n in range(LAYERS)}
    torch.save(state, folder / FILE)
    save(state, checkpoint_id=folder / FOLDER, no_dist=True)


def peaks(folder: Path, name: str, broadcast: bool) -> list[float]:
    """Load once in as many processes; return what each held at most."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(WORLD)}
    arguments = [str(folder), name, str(int(broadcast))]
    ranks = [
        subprocess.Popen(
            [sys.executable, __file__, *arguments],
            env={**os.environ, **group, "RANK": str(rank), "GLOO_SOCKET_IFNAME": "lo"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(WORLD)
    ]
    return [float(rank.communicate(timeout=300)[0]) for rank in ranks]


def rows(rounds: int = 3) -> Iterator[Row]:
    """Measure each way to fill the shards."""
    found: dict[tuple[str, bool], list[list[float]]] = {way: [] for way, _ in WAYS.values()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, WIDTH)
        write(folder / "small", 8)
        for _ in range(rounds):
            for way, measured in found.items():
                measured.append(peaks(folder, *way))
    for cost, (way, ranks) in WAYS.items():
        most = statistics.median(max(one[rank] for rank in ranks) for one in found[way])
        yield Row(
            f"peak memory of each of {WORLD} ranks loading into FSDP2: {cost}",
            "its shard + one tensor",
            "MB",
            {FLOOR: SHARD + ONE_TENSOR, OURS: most},
            at_most=1.3,
        )


if __name__ == "__main__":
    be_a_rank(Path(sys.argv[1]), sys.argv[2], bool(int(sys.argv[3])))
