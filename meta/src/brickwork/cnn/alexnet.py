"""AlexNet."""

from brickwork_models import AlexNet

__all__ = [
    "AlexNet",
]
