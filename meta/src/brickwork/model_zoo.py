"""Where pretrained weights are and how they get here."""

from brickwork_zoo import (
    download,
    list_models,
    resolve,
    verify,
)

__all__ = [
    "download",
    "list_models",
    "resolve",
    "verify",
]
