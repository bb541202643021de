"""AlexNet."""

from brickwork_models import AlexNet as AlexNet
