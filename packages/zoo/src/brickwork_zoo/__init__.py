"""Find, download, verify, list and load model weights; needs no torch until it loads."""

__version__ = "0.1.0"
