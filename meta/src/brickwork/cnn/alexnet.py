"""AlexNet."""

from brickwork_models.classic import AlexNet

__all__ = [
    "AlexNet",
]
