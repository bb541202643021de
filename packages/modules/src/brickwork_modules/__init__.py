"""Bundles of layers from config dicts: ConvModule, NonLocal, ContextBlock, transformer bricks."""

__version__ = "0.1.0"
