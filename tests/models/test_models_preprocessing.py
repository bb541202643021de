"""Preprocessing compared with torchvision's presets and timm's transforms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from brickwork_models import Preprocessing, imagenet_classes, list_models, model_entry
from torch import Tensor

from tests.models.reference.cases import PREPROCESSING_CASES, photograph, pixel_grid
from tests.models.stored import PREPROCESSED, TORCHVISION_WEIGHTS

Image = pytest.importorskip("PIL.Image")

URIS = [w.uri for n in list_models(pretrained=True) for w in model_entry(n).weights]


def preprocessing(case: str) -> Preprocessing:
    options = PREPROCESSING_CASES[case]
    return Preprocessing(**options) if options else model_entry(case).preprocess


def as_tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array).permute(2, 0, 1)


def assert_close(actual: Tensor, expected: Any) -> None:
    """Compare within one millionth of the largest value."""
    expected = torch.as_tensor(expected)
    scale = max(1.0, expected.abs().max().item())
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-6 * scale)


@pytest.mark.parametrize("case", PREPROCESSED)
def test_pil_image_matches_stored_values(case: str) -> None:
    pixels = preprocessing(case)(Image.fromarray(photograph()))
    assert_close(torch.tensor(pixel_grid(pixels)), PREPROCESSED[case]["pil"])


@pytest.mark.parametrize("case", [case for case in PREPROCESSED if "tensor" in PREPROCESSED[case]])
@pytest.mark.parametrize("convert", [np.asarray, as_tensor], ids=["array", "tensor"])
def test_array_and_tensor_match_stored_values(case: str, convert: Any) -> None:
    pixels = preprocessing(case)(convert(photograph()))
    assert_close(torch.tensor(pixel_grid(pixels)), PREPROCESSED[case]["tensor"])


@pytest.mark.parametrize("uri", TORCHVISION_WEIGHTS)
def test_preset_of_installed_torchvision_gives_same_values(uri: str) -> None:
    models = pytest.importorskip("torchvision.models")
    name, _, tag = uri.removeprefix("torchvision://").rpartition(".")
    transform = models.get_model_weights(name)[tag.upper()].transforms()
    preprocess, array = model_entry(uri).preprocess, photograph()
    assert_close(preprocess(Image.fromarray(array))[0], transform(Image.fromarray(array)))
    assert_close(preprocess(as_tensor(array))[0], transform(as_tensor(array)))


@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(300, 417), (417, 300), (100, 640)])
def test_transform_of_installed_timm_gives_same_values(
    size: tuple[int, int], interpolation: str, square: bool
) -> None:
    data = pytest.importorskip("timm.data")
    image = Image.fromarray(photograph()).resize(size)
    preprocess = Preprocessing(192, crop=0.9, interpolation=interpolation, square=square)
    transform = data.create_transform(
        (3, 192, 192),
        interpolation=interpolation,
        crop_pct=0.9,
        crop_mode="squash" if square else "center",
    )
    assert_close(preprocess(image)[0], transform(image))


def test_batches_of_arrays_tensors_and_lists_give_the_same_rows() -> None:
    preprocess, array = Preprocessing(size=64), photograph()
    single = preprocess(array)
    assert single.shape == (1, 3, 64, 64)
    expected = torch.cat([single, single])
    assert torch.equal(preprocess(np.stack([array, array])), expected)
    assert torch.equal(preprocess(torch.stack([as_tensor(array)] * 2)), expected)
    assert torch.equal(preprocess([array, as_tensor(array)]), expected)


def test_pil_and_tensor_differ_by_at_most_one_gray_level_with_bilinear() -> None:
    preprocess = Preprocessing(mean=(0.0,) * 3, std=(1.0,) * 3)
    difference = preprocess(Image.fromarray(photograph())) - preprocess(photograph())
    assert difference.abs().max().item() == pytest.approx(1, abs=1e-4)


def test_bgr_model_gets_reversed_channels_and_raw_scale() -> None:
    preprocess = model_entry("detectron2/resnet50_caffe").preprocess
    red = np.full((256, 256, 3), (200, 0, 0), dtype=np.uint8)
    pixels = preprocess(red)[0, :, 0, 0]
    torch.testing.assert_close(pixels, torch.tensor([-103.53, -116.28, 200 - 123.675]))


def test_grayscale_and_transparent_pil_images_become_rgb() -> None:
    image = Image.fromarray(photograph())
    for mode in ("L", "RGBA", "P"):
        assert Preprocessing(size=32)(image.convert(mode)).shape == (1, 3, 32, 32)


@pytest.mark.parametrize("uri", URIS)
def test_every_checkpoint_has_a_preprocessing_that_runs(uri: str) -> None:
    entry = model_entry(uri)
    assert entry.weights[0].uri == uri
    size = entry.preprocess.size
    assert entry.preprocess(photograph()).shape == (1, 3, size, size)


def test_class_names_are_those_of_imagenet_or_absent() -> None:
    assert model_entry("resnet50").class_names == imagenet_classes()
    assert model_entry("resnet18_cifar").class_names is None


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        ("cat.jpg", TypeError, "PIL image, an array or a tensor, got str"),
        (torch.zeros(3, 8, 8), TypeError, "dtype uint8, got torch.float32"),
        (torch.zeros(8, 8, dtype=torch.uint8), ValueError, "3 channels"),
        (np.zeros((8, 8), dtype=np.uint8), ValueError, "3 channels"),
        (torch.zeros(1, 8, 8, dtype=torch.uint8), ValueError, "3 channels"),
    ],
)
def test_wrong_image_is_refused(image: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Preprocessing()(image)
