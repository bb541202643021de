"""Conversion of SyncBN to batch norm."""

from brickwork_modules import revert_sync_batchnorm as revert_sync_batchnorm
