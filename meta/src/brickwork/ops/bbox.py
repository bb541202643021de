"""Overlaps of boxes."""

from brickwork_ops import bbox_overlaps as bbox_overlaps
