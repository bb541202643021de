"""`brickwork.image`: pictures in and out."""

import sys

import numpy as np
import pytest
import torch
from brickwork.image import imread, imshow, imwrite, tensor2imgs
from PIL import Image

PICTURE = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)  # blue, green, red


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "picture.png"
    Image.fromarray(PICTURE[:, :, ::-1]).save(file)
    return file


def test_imread_returns_blue_green_red_by_default(path):
    assert np.array_equal(imread(path), PICTURE)
    assert np.array_equal(imread(str(path), channel_order="rgb"), PICTURE[:, :, ::-1])
    assert np.array_equal(imread(path, "unchanged"), PICTURE)
    gray = imread(path, "grayscale")
    assert gray.shape == (5, 4)
    weights = PICTURE @ np.array([0.114, 0.587, 0.299])
    assert np.abs(gray - weights).max() < 1


def test_imread_passes_arrays_on(path):
    assert imread(PICTURE) is PICTURE


def test_imwrite_makes_folders_and_keeps_the_picture(tmp_path):
    file = tmp_path / "new" / "folder" / "picture.png"
    assert imwrite(PICTURE, file)
    assert np.array_equal(imread(file), PICTURE)
    gray = tmp_path / "gray.png"
    imwrite(PICTURE[:, :, 0].copy(), gray)
    assert np.array_equal(imread(gray, "unchanged"), PICTURE[:, :, 0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flag": "colour"}, "flag must be one of color, grayscale, unchanged, got 'colour'"),
        ({"channel_order": "gbr"}, "channel_order must be one of bgr, rgb, got 'gbr'"),
        ({"backend": "turbojpeg"}, "backend must be one of cv2, pillow, got 'turbojpeg'"),
    ],
)
def test_imread_refuses_other_options(path, options, message):
    with pytest.raises(ValueError, match=message):
        imread(path, **options)


def test_imread_of_no_file_and_of_no_picture(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        imread(tmp_path / "nothing.png")
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(ValueError, match=r"cannot read .*text\.png"):
        imread(tmp_path / "text.png")


def test_libraries_that_are_not_installed_are_named(path, monkeypatch):
    for name in ("cv2", "PIL", "PIL.Image"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pictures need OpenCV or Pillow"):
        imread(path)


def test_imshow_shows_the_picture(path, monkeypatch):
    shown = []
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.setattr(Image.Image, "show", lambda image, title: shown.append((image, title)))
    imshow(path, "window")
    ((image, title),) = shown
    assert title == "window"
    assert np.array_equal(np.asarray(image), PICTURE[:, :, ::-1])


def test_tensor2imgs_inverts_the_normalization():
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
    rgb = torch.tensor(pictures[..., ::-1].copy()).permute(0, 3, 1, 2).float()
    normalized = (rgb - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    restored = tensor2imgs(normalized, mean, std, to_rgb=True)
    assert [image.dtype for image in restored] == [np.uint8] * 2
    difference = np.stack(restored).astype(int) - pictures
    assert set(np.unique(difference)) <= {-1, 0}  # truncated, as mmcv does
    assert np.array_equal(
        np.stack(tensor2imgs(rgb))[..., ::-1], np.stack(tensor2imgs(rgb, to_rgb=False))
    )
    gray = tensor2imgs(rgb[:, :1], to_rgb=False)
    assert gray[0].shape == (5, 4, 1)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((3, 4, 4), {}, r"got \(3, 4, 4\)"),
        ((1, 2, 4, 4), {}, r"got \(1, 2, 4, 4\)"),
        ((1, 1, 4, 4), {}, "to_rgb=False"),
        ((1, 3, 4, 4), {"mean": (1,)}, "mean and std must have 3 values"),
    ],
)
def test_tensor2imgs_refuses_what_does_not_fit(shape, options, message):
    with pytest.raises(ValueError, match=message):
        tensor2imgs(torch.zeros(shape), **options)
