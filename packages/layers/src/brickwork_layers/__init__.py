"""Convolution, norm, activation, padding, upsampling and dropout layers from config dicts."""

__version__ = "0.1.0"
