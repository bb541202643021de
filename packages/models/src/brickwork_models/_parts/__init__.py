"""Parts that model families share: backbone base classes, blocks and stages.

Imports ``errors`` and ``_typing`` only; knows no model names and no checkpoints.
"""
