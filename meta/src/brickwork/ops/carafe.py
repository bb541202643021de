"""Upsampling by predicted kernels."""

from brickwork_ops import CARAFE as CARAFE
from brickwork_ops import CARAFENaive as CARAFENaive
from brickwork_ops import CARAFEPack as CARAFEPack
from brickwork_ops import carafe as carafe
from brickwork_ops import carafe_naive as carafe_naive
