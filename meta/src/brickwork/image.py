"""Reading, writing and showing pictures, with OpenCV or Pillow, whichever is installed.

Pictures are arrays `(height, width, channels)` of uint8, in the order blue, green, red.
"""

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    import numpy as np

__all__ = ["imread", "imshow", "imwrite", "tensor2imgs"]

_FLAGS = ("color", "grayscale", "unchanged")


def imread(
    img_or_path: Any, flag: str = "color", channel_order: str = "bgr", backend: str | None = None
) -> Any:
    """Read a picture.

    Args:
        img_or_path: A file; an array is returned as it is.
        flag: `"color"` for three channels, `"grayscale"` for one, `"unchanged"` for those of the
            file.
        channel_order: `"bgr"` or `"rgb"`, for three channels.
        backend: `"cv2"` or `"pillow"`; by default the first that is installed.

    Returns:
        The picture: `(height, width, 3)`, or `(height, width)` in gray.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If `flag`, `channel_order` or `backend` is another, or the file has no picture.
        ImportError: If neither OpenCV nor Pillow is installed.
    """
    if not isinstance(img_or_path, str | Path):
        return img_or_path
    if flag not in _FLAGS:
        raise ValueError(f"flag must be one of {', '.join(_FLAGS)}, got {flag!r}")
    if channel_order not in ("bgr", "rgb"):
        raise ValueError(f"channel_order must be one of bgr, rgb, got {channel_order!r}")
    path = Path(img_or_path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    library = _library(backend)
    picture = _read_cv2(library, path, flag) if library.__name__ == "cv2" else _read(path, flag)
    if flag == "color" and channel_order == "rgb":
        return picture[:, :, ::-1].copy()
    return picture


def imwrite(
    img: Any, file_path: str | Path, params: list[int] | None = None, auto_mkdir: bool = True
) -> bool:
    """Write a picture.

    Args:
        img: The picture.
        file_path: The file; its suffix tells the format.
        params: Options of the format as OpenCV has them; Pillow takes none.
        auto_mkdir: Whether to make the folder of the file.

    Returns:
        True.

    Raises:
        ImportError: If neither OpenCV nor Pillow is installed.
    """
    path = Path(file_path)
    if auto_mkdir:
        path.expanduser().parent.mkdir(parents=True, exist_ok=True)
    library = _library("cv2" if params else None)
    if library.__name__ == "cv2":
        return bool(library.imwrite(str(path), img, params or []))
    _to_pillow(img).save(path)
    return True


def imshow(img: Any, win_name: str = "", wait_time: int = 0) -> None:
    """Show a picture in a window.

    Args:
        img: The picture, or a file.
        win_name: Title of the window.
        wait_time: Milliseconds that OpenCV waits for a key; 0 waits for one.
    """
    picture = imread(img)
    library = _library(None)
    if library.__name__ != "cv2":
        _to_pillow(picture).show(win_name)
        return
    library.imshow(win_name, picture)
    library.waitKey(wait_time)


def tensor2imgs(
    tensor: torch.Tensor,
    mean: "tuple[float, ...] | np.ndarray[Any, Any] | None" = None,
    std: "tuple[float, ...] | np.ndarray[Any, Any] | None" = None,
    to_rgb: bool = True,
) -> list[Any]:
    """Turn a batch of normalized images back into pictures.

    Args:
        tensor: Images `(N, C, H, W)` of 3 channels or 1.
        mean: Mean of each channel that was subtracted; 0 by default.
        std: Standard deviation of each channel that was divided by; 1 by default.
        to_rgb: Whether the normalization swapped blue and red; then they are swapped back. It must
            be False for 1 channel.

    Returns:
        Arrays `(H, W, C)` of uint8.

    Raises:
        ValueError: If the shape, `mean` and `std` do not fit each other.
    """
    channels = tensor.size(1) if tensor.ndim == 4 else 0
    if channels not in (1, 3) or (channels == 1 and to_rgb):
        raise ValueError(
            f"tensor must be (N, 3, H, W), or (N, 1, H, W) with to_rgb=False, got"
            f" {tuple(tensor.shape)} with to_rgb={to_rgb}"
        )
    means = torch.tensor([0.0] * channels if mean is None else list(mean), dtype=torch.float32)
    deviations = torch.tensor([1.0] * channels if std is None else list(std), dtype=torch.float32)
    if not len(means) == len(deviations) == channels:
        raise ValueError(f"mean and std must have {channels} values, got {mean!r} and {std!r}")
    images = tensor.detach().cpu().permute(0, 2, 3, 1).float() * deviations + means
    if to_rgb:
        images = images.flip(-1)
    return [image.contiguous().to(torch.uint8).numpy() for image in images]


def _library(backend: str | None) -> ModuleType:
    """Import OpenCV or Pillow."""
    modules = {"cv2": "cv2", "pillow": "PIL.Image"}
    if backend is not None and backend not in modules:
        raise ValueError(f"backend must be one of {', '.join(modules)}, got {backend!r}")
    for name in [modules[backend]] if backend else modules.values():
        try:
            return importlib.import_module(name)
        except ImportError as error:
            missing = error
    raise ImportError(
        "pictures need OpenCV or Pillow: pip install opencv-python-headless, or pillow"
    ) from missing


def _read_cv2(cv2: ModuleType, path: Path, flag: str) -> Any:
    flags = {
        "color": cv2.IMREAD_COLOR,
        "grayscale": cv2.IMREAD_GRAYSCALE,
        "unchanged": cv2.IMREAD_UNCHANGED,
    }
    picture = cv2.imread(str(path), flags[flag])
    if picture is None:
        raise ValueError(f"OpenCV cannot read {path}")
    return picture


def _read(path: Path, flag: str) -> Any:
    import numpy as np  # comes with any caller that uses arrays
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file) if flag != "unchanged" else file.copy()
    except UnidentifiedImageError as error:
        raise ValueError(f"Pillow cannot read {path}") from error
    if flag != "unchanged":
        image = image.convert("RGB" if flag == "color" else "L")
    array = np.asarray(image)
    if array.ndim == 3:
        array = array[:, :, [2, 1, 0, *range(3, array.shape[2])]]
    return np.ascontiguousarray(array)


def _to_pillow(picture: Any) -> Any:
    from PIL import Image

    if picture.ndim == 3:
        picture = picture[:, :, [2, 1, 0, *range(3, picture.shape[2])]]
    return Image.fromarray(picture)
