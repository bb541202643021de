"""AlexNet."""

from brickwork_models.classic import AlexNet as AlexNet
