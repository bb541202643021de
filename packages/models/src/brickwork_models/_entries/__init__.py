"""What a model family declares: entries, weights, image statistics, key maps.

Imports ``_summary`` only; ``_families`` fills the tables, ``_names`` and ``_create`` read them.
"""
