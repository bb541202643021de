"""The choice of the backend, without and with torchvision."""

import sys
import types

import brickwork_ops as ops
import pytest
import torch
from brickwork_ops import _backends


@pytest.fixture(autouse=True)
def _own_choice(monkeypatch):
    monkeypatch.setattr(_backends, "_chosen", {})
    _backends._torchvision.cache_clear()
    yield
    _backends._torchvision.cache_clear()


@pytest.fixture
def without_torchvision(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.ops", None)


@pytest.fixture
def torchvision_calls(monkeypatch):
    """Put an object in the place of torchvision.ops and return the list of its calls."""
    calls = []

    def nms(boxes, scores, threshold):
        calls.append("nms")
        return torch.arange(1)

    def roi_align(x, rois, size, *how):
        calls.append("roi_align")
        return x.new_zeros(len(rois), x.shape[1], *size)

    module = types.SimpleNamespace(nms=nms, roi_align=roi_align)
    monkeypatch.setattr(_backends, "_torchvision", lambda: module)
    _backends._torchvision.cache_clear = lambda: None
    return calls


def test_without_torchvision_everything_is_computed_here(without_torchvision):
    assert set(ops.backends().values()) == {"brickwork"}
    assert set(ops.backends("cuda").values()) == {"brickwork"}


def test_choosing_an_absent_torchvision_is_an_error(without_torchvision):
    with pytest.raises(ops.errors.BackendError, match="cannot be imported"):
        ops.set_backend("nms", "torchvision")
    with pytest.raises(ops.errors.BackendError, match="cannot be imported"):
        ops.RoIAlign(3, use_torchvision=True)(torch.zeros(1, 1, 4, 4), torch.zeros(1, 5))


@pytest.mark.parametrize(
    ("operator", "backend", "message"),
    [
        ("carafe", "auto", "operator must be one of deform_conv2d, .*, got 'carafe'"),
        ("nms", "cuda", "one of auto, brickwork, torchvision, got 'cuda'"),
    ],
)
def test_unknown_choice_is_an_error(operator, backend, message):
    with pytest.raises(ops.errors.BackendError, match=message):
        ops.set_backend(operator, backend)


def test_choice_is_visible_and_taken(torchvision_calls):
    x, rois = torch.zeros(1, 1, 4, 4), torch.zeros(1, 5)
    ops.set_backend("roi_align", "torchvision")
    assert ops.backends()["roi_align"] == "torchvision"
    ops.roi_align(x, rois, 2)
    assert torchvision_calls == ["roi_align"]
    ops.set_backend("roi_align", "brickwork")
    ops.roi_align(x, rois, 2)
    assert torchvision_calls == ["roi_align"]
    ops.set_backend("roi_align", "auto")
    assert ops.backends()["roi_align"] == "brickwork"


def test_torchvision_is_not_asked_for_what_it_does_not_compute(torchvision_calls):
    boxes, scores = torch.rand(4, 4), torch.rand(4)
    ops.set_backend("nms", "torchvision")
    ops.nms(boxes, scores, 0.5)
    assert torchvision_calls == ["nms"]
    ops.nms(boxes, scores, 0.5, offset=1)
    ops.set_backend("roi_align", "torchvision")
    ops.roi_align(torch.zeros(1, 1, 4, 4), torch.zeros(1, 5), 2, pool_mode="max")
    assert torchvision_calls == ["nms"]
