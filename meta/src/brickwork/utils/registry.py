"""Registry, and building from configs."""

from brickwork_registry import Registry as Registry
from brickwork_registry import build_from_cfg as build_from_cfg
