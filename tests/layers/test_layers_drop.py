"""Dropout and drop path."""

import brickwork_layers as layers
import pytest
import torch
from brickwork_layers import build_dropout, drop_path


def test_drop_path_drops_whole_samples_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    x = torch.ones(4000, 2, 3)
    out = drop_path(x, 0.25, training=True)
    per_sample = out.flatten(1)
    assert torch.equal(per_sample.amin(1), per_sample.amax(1))
    torch.testing.assert_close(per_sample[:, 0].unique(), torch.tensor([0, 4 / 3]))
    assert abs(out.mean().item() - 1) < 0.03


@pytest.mark.parametrize(("drop_prob", "training"), [(0.0, True), (0.5, False)])
def test_drop_path_without_probability_or_training_returns_its_input(
    drop_prob: float, training: bool
) -> None:
    x = torch.randn(3, 4)
    assert drop_path(x, drop_prob, training) is x


def test_drop_path_with_probability_one_gives_zeros() -> None:
    x = torch.randn(3, 4, requires_grad=True)
    out = drop_path(x, 1.0, training=True)
    assert not out.any()
    out.sum().backward()
    assert not x.grad.any()


@pytest.mark.parametrize("kind", ["DropPath", "Dropout"])
@pytest.mark.parametrize("drop_prob", [-0.1, 1.5])
def test_probability_outside_of_0_and_1_is_refused(kind: str, drop_prob: float) -> None:
    with pytest.raises(ValueError, match="prob"):
        build_dropout({"type": kind, "drop_prob": drop_prob})


def test_default_probabilities_are_those_of_mmcv() -> None:
    assert layers.DropPath().drop_prob == 0.1
    assert layers.Dropout().p == 0.5


def test_default_args_fill_missing_keys() -> None:
    assert build_dropout({"type": "Dropout"}, {"drop_prob": 0.3}).p == 0.3
    assert build_dropout({"drop_prob": 0.2}, {"type": "DropPath"}).drop_prob == 0.2
