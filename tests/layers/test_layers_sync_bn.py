"""Batch norm across processes: alone it is the plain one, together that of the whole batch."""

import runpy
from collections.abc import Callable
from pathlib import Path

import brickwork_layers as layers
import pytest
import torch
import torch.distributed as dist
from torch import nn

WORKER = Path(__file__).with_name("sync_bn_worker.py")
TOGETHER = runpy.run_path(str(WORKER))
CASES, PLAIN = TOGETHER["CASES"], TOGETHER["PLAIN"]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_alone_it_is_the_plain_batch_norm(name: str, train: bool) -> None:
    options, shape = CASES[name]
    ours = layers.build_norm_layer({"type": "SyncBN", **options}, 3)[1].train(train)
    plain = PLAIN[len(shape)](3, **options).train(train)
    x = torch.randn(shape)
    assert torch.equal(ours(x), plain(x))
    for key, value in plain.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value)


def test_wrong_inputs() -> None:
    with pytest.raises(ValueError, match="at least 2D"):
        layers.SyncBatchNorm(3)(torch.randn(3))


def test_it_converts_every_batch_norm() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm2d(4, affine=False))
    )
    x = torch.randn(2, 3, 4, 4)
    network(x)  # so that there are statistics to keep
    state, expected = network.state_dict(), network.eval()(x)
    converted = layers.SyncBatchNorm.convert_sync_batchnorm(network)
    assert type(converted[1]) is type(converted[2][0]) is layers.SyncBatchNorm
    torch.testing.assert_close(converted.state_dict(), state, rtol=0, atol=0)
    assert torch.equal(converted(x), expected)
    assert isinstance(
        layers.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm1d(2)), layers.SyncBatchNorm
    )


@pytest.mark.skipif(not dist.is_available(), reason="this torch has no distributed support")
def test_two_processes_see_the_whole_batch(
    run_together: Callable[..., str], tmp_path: Path
) -> None:
    run_together(2, WORKER, tmp_path)
    parts = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    close = {"rtol": 1e-5, "atol": 1e-5, "check_dtype": False}
    for name, (options, shape) in CASES.items():
        plain = PLAIN[len(shape)](3, **options).double()
        x = TOGETHER["batch"](shape).double().requires_grad_()
        out = plain(x)
        TOGETHER["weighted"](out, 0).backward()
        for cut in TOGETHER["CUTS"]:
            both = [part[name, cut] for part in parts]
            torch.testing.assert_close(torch.cat([one[0] for one in both]), out, **close)
            torch.testing.assert_close(torch.cat([one[1] for one in both]), x.grad, **close)
            for _, _, grads, state in both:
                expected = [parameter.grad for parameter in plain.parameters()]
                torch.testing.assert_close(grads, expected, **close)
                torch.testing.assert_close(dict(state), dict(plain.state_dict()), **close)
    for part in parts:
        torch.testing.assert_close(*part["alone"])
