"""Finding and downloading pretrained weights."""

from brickwork_zoo import download as download
from brickwork_zoo import list_models as list_models
from brickwork_zoo import resolve as resolve
from brickwork_zoo import verify as verify
