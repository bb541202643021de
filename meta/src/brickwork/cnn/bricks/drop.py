"""Dropout and stochastic depth."""

from brickwork_layers import DROPOUT_LAYERS as DROPOUT_LAYERS
from brickwork_layers import Dropout as Dropout
from brickwork_layers import DropPath as DropPath
from brickwork_layers import build_dropout as build_dropout
from brickwork_layers import drop_path as drop_path
