"""Models from configs."""

from brickwork_models import MODELS as MODELS
from brickwork_models import build_model_from_cfg as build_model_from_cfg
