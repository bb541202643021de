"""Synchronized batch norm."""

from brickwork_ops import SyncBatchNorm as SyncBatchNorm
