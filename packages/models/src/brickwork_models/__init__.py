"""Network architectures for the checkpoints of the zoo, built from bricks."""

__version__ = "0.1.0"
