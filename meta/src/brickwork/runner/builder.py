"""Registries of runners; an installed mmcv 1.x brings the runners."""

from typing import Any

from brickwork_registry import Registry

__all__ = ["RUNNERS", "RUNNER_BUILDERS"]

RUNNERS: Registry[Any] = Registry("runner", scope="mmcv")
RUNNER_BUILDERS: Registry[Any] = Registry("runner builder", scope="mmcv")
