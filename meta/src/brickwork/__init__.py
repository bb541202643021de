"""The building bricks of convolutional networks that people know from mmcv.cnn, on a current PyTorch."""

__version__ = "0.1.0"
