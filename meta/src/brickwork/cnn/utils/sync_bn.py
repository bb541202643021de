"""SyncBN back to batch norm."""

from brickwork_modules import revert_sync_batchnorm

__all__ = [
    "revert_sync_batchnorm",
]
