"""Training in several processes gives the same losses and weights, also after being killed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from brickwork_zoo import read_checkpoint
from torch import Tensor

from tests.support.python import python_result
from tests.system import ddp_gradients

pytest.importorskip("sklearn")
if not dist.is_available():
    pytest.skip("this torch has no distributed support", allow_module_level=True)

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "docs" / "examples" / "train_distributed.py"
GRADIENTS = Path(ddp_gradients.__file__)
STEPS, EVERY = 12, 4
TOGETHER = {"single": [1], "ddp": [1, 2], "fsdp": [1, 2, 4]}
RunTogether = Callable[..., str]
CASES = [(strategy, world) for strategy, worlds in TOGETHER.items() for world in worlds]


def losses(output: str) -> dict[int, float]:
    """Return the printed losses by step."""
    return {int(n): float(x) for n, x in re.findall(r"^step +(\d+)  loss ([\d.]+)$", output, re.M)}


def weights(folder: Path) -> dict[str, Tensor]:
    """Return the last saved weights, from a file or a folder of shards."""
    (path,) = folder.glob(f"step-{STEPS:06}.*")
    found: dict[str, Tensor] = read_checkpoint(path)["state_dict"]
    return found


@pytest.fixture(scope="module")
def uninterrupted(
    run_together: RunTogether, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[int, float], Path]:
    """Return losses and folder of one process that is not killed."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    options = ["--double", "--steps", STEPS, "--save-every", EVERY, "--folder", folder]
    return losses(run_together(1, EXAMPLE, *options)), folder


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "world"), CASES)
def test_killed_and_resumed_run_ends_like_an_uninterrupted_one(
    strategy: str,
    world: int,
    run_together: RunTogether,
    uninterrupted: tuple[dict[int, float], Path],
    tmp_path: Path,
) -> None:
    options = ["--strategy", strategy, "--double", "--steps", STEPS]
    options += ["--save-every", EVERY, "--folder", tmp_path]
    killed = losses(run_together(world, EXAMPLE, *options, killed_after=2 * EVERY))
    assert [*killed] == [*range(1, 2 * EVERY + 1)]
    checkpoints = [path.stem for path in tmp_path.glob("step-*")]
    assert checkpoints == [f"step-{EVERY:06}"], "an incomplete checkpoint has this name"
    resumed = losses(run_together(world, EXAMPLE, *options, "--resume"))
    assert [*resumed] == [*range(EVERY + 1, STEPS + 1)]

    expected, folder = uninterrupted
    close = {"rtol": 0, "atol": 0} if strategy == "single" else {"rtol": 1e-8, "atol": 2e-9}
    assert [*expected] == [*range(1, STEPS + 1)]
    assert expected[STEPS] < 0.9 * expected[1]
    for curve in (killed, resumed):
        torch.testing.assert_close(curve, {n: expected[n] for n in curve}, **close)
    close = {"rtol": 0, "atol": 0} if strategy == "single" else {"rtol": 1e-6, "atol": 1e-6}
    torch.testing.assert_close(dict(weights(tmp_path)), dict(weights(folder)), **close)


def test_torchrun_trains_in_single_precision(run_together: RunTogether, tmp_path: Path) -> None:
    alone = run_together(1, EXAMPLE, "--steps", EVERY, "--folder", tmp_path / "alone")
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2, EXAMPLE]
    command += ["--strategy", "ddp", "--steps", EVERY, "--folder", tmp_path / "both"]
    done = python_result(*command, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    torch.testing.assert_close(losses(done.stdout), losses(alone), rtol=1e-5, atol=1e-5)
    assert re.search(r"^[\d.]+% of 359 unseen digits recognized$", done.stdout, re.M)


def test_new_run_refuses_a_folder_with_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "step-000004.pth").touch()
    done = python_result(EXAMPLE, "--folder", tmp_path)
    assert done.returncode == 2
    assert "pass --resume to continue" in done.stderr


@pytest.mark.parametrize("world", [1, 2, 4])
def test_sync_bn_under_ddp_gives_the_gradients_of_the_whole_batch(
    world: int, run_together: RunTogether, tmp_path: Path
) -> None:
    model = ddp_gradients.network()
    ddp_gradients.step(model, *ddp_gradients.batch())
    grads = {name: parameter.grad for name, parameter in model.named_parameters()}
    run_together(world, GRADIENTS, tmp_path)
    for rank in range(world):
        own, buffers = torch.load(tmp_path / f"{rank}.pt")
        torch.testing.assert_close(own, grads, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(buffers, dict(model.named_buffers()), rtol=1e-5, atol=1e-5)
