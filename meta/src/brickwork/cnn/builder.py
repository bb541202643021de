"""Networks from configs."""

from brickwork_models import (
    MODELS,
    build_model_from_cfg,
)

__all__ = [
    "MODELS",
    "build_model_from_cfg",
]
