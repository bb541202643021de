"""The layers of torch that mmcv wraps to support empty tensors.

Current versions of torch support them. The classes remain because configs name them, code checks
for them with `isinstance`, and pickles refer to them.
"""

from torch import nn


class Conv2d(nn.Conv2d):
    """2d convolution that supports empty batches; see `torch.nn.Conv2d` for its arguments."""


class Conv3d(nn.Conv3d):
    """3d convolution that supports empty batches; see `torch.nn.Conv3d` for its arguments."""


class ConvTranspose2d(nn.ConvTranspose2d):
    """2d transposed convolution that supports empty batches; see `torch.nn.ConvTranspose2d`."""


class ConvTranspose3d(nn.ConvTranspose3d):
    """3d transposed convolution that supports empty batches; see `torch.nn.ConvTranspose3d`."""


class MaxPool2d(nn.MaxPool2d):
    """2d max pooling that supports empty batches; see `torch.nn.MaxPool2d` for its arguments."""


class MaxPool3d(nn.MaxPool3d):
    """3d max pooling that supports empty batches; see `torch.nn.MaxPool3d` for its arguments."""


class Linear(nn.Linear):
    """Linear layer that supports empty batches; see `torch.nn.Linear` for its arguments."""
