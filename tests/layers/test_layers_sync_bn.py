"""Synchronized batch norm in one and in two processes."""

from collections.abc import Callable
from pathlib import Path

import brickwork_layers as layers
import pytest
import torch
import torch.distributed as dist
from torch import nn

from tests.layers import sync_bn_worker
from tests.layers.sync_bn_worker import CASES, PLAIN


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_single_process_gives_the_plain_batch_norm(name: str, train: bool) -> None:
    options, shape = CASES[name]
    ours = layers.build_norm_layer({"type": "SyncBN", **options}, 3)[1].train(train)
    plain = PLAIN[len(shape)](3, **options).train(train)
    x = torch.randn(shape)
    assert torch.equal(ours(x), plain(x))
    for key, value in plain.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value)


def test_input_with_one_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2D"):
        layers.SyncBatchNorm(3)(torch.randn(3))


def test_convert_sync_batchnorm_replaces_every_batch_norm() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm2d(4, affine=False))
    )
    x = torch.randn(2, 3, 4, 4)
    network(x)  # sets running statistics, which must be kept
    state, expected = network.state_dict(), network.eval()(x)
    converted = layers.SyncBatchNorm.convert_sync_batchnorm(network)
    assert type(converted[1]) is type(converted[2][0]) is layers.SyncBatchNorm
    torch.testing.assert_close(converted.state_dict(), state, rtol=0, atol=0)
    assert torch.equal(converted(x), expected)
    assert isinstance(
        layers.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm1d(2)), layers.SyncBatchNorm
    )


@pytest.mark.skipif(not dist.is_available(), reason="this torch has no distributed support")
def test_two_processes_normalize_the_whole_batch(
    run_together: Callable[..., str], tmp_path: Path
) -> None:
    run_together(2, Path(sync_bn_worker.__file__), tmp_path)
    parts = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    close = {"rtol": 1e-5, "atol": 1e-5, "check_dtype": False}
    for name, (options, shape) in CASES.items():
        plain = PLAIN[len(shape)](3, **options).double()
        x = sync_bn_worker.batch(shape).double().requires_grad_()
        out = plain(x)
        sync_bn_worker.weighted(out, 0).backward()
        for cut in sync_bn_worker.CUTS:
            both = [part[name, cut] for part in parts]
            torch.testing.assert_close(torch.cat([output for output, *_ in both]), out, **close)
            torch.testing.assert_close(torch.cat([grad for _, grad, *_ in both]), x.grad, **close)
            for _, _, grads, state in both:
                expected = [parameter.grad for parameter in plain.parameters()]
                torch.testing.assert_close(grads, expected, **close)
                torch.testing.assert_close(dict(state), dict(plain.state_dict()), **close)
    for part in parts:
        torch.testing.assert_close(*part["alone"])
