"""Facts about other libraries' models and checkpoints, stored by the scripts in `reference/`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.models.reference.cases import samples

REFERENCE = Path(__file__).parent / "reference"


def _read(name: str) -> dict[str, Any]:
    data = (REFERENCE / name).read_bytes()
    return json.loads(gzip.decompress(data) if name.endswith(".gz") else data)


OPENMMLAB = _read("openmmlab.json.gz")
"""Facts about OpenMMLab's checkpoints, by URI; of those without one by config."""

LIBRARIES = _read("networks.json.gz")["networks"]
"""Facts about torchvision's and timm's models, by ``library-name``."""

MMPRETRAIN = _read("mmpretrain.json.gz")
"""Parameter names and preprocessing of mmpretrain's checkpoints, by URI."""

MMEDIT = _read("mmedit.json")
"""Parameter names of mmedit's encoders, by URI."""

TORCHVISION_WEIGHTS = _read("torchvision_weights.json")
"""What torchvision publishes about its weights, by URI."""

MMCV_CLASSIC = _read("mmcv_classic.json.gz")
"""Sampled weights of mmcv's classic models under seed 0, built and initialized, by expression."""


PREPROCESSED = _read("preprocessing.json.gz")
"""Pixels of a photograph preprocessed by torchvision and timm, by case."""


def stored_keys(name: str) -> dict[str, list[int]]:
    """Return the stored names and shapes of a model's parameters."""
    return (OPENMMLAB | LIBRARIES)[name]["keys"]


ULPS = 8


def assert_matches_samples(model: nn.Module, expected: dict[str, list[float]]) -> None:
    """Compare sampled weights: constants exactly, drawn values up to a few units in the last place.

    The last bits of a normal draw depend on the processor. Their error is relative to the largest
    values of the distribution, so the tolerance is `ULPS` units in the last place of the tensor's
    largest value, about 1e-6 of it.
    """
    actual = samples(model)
    assert list(actual) == list(expected)
    for key, value in model.state_dict().items():
        is_constant = bool((value == value.flatten()[0]).all())
        largest = value.abs().max().item()
        tolerance = 0.0 if is_constant else ULPS * torch.finfo(torch.float32).eps * largest
        assert actual[key] == pytest.approx(expected[key], rel=0, abs=tolerance), key
