"""Base modules that initialize from a config."""

from brickwork_base import BaseModule as BaseModule
from brickwork_base import ModuleDict as ModuleDict
from brickwork_base import ModuleList as ModuleList
from brickwork_base import Sequential as Sequential
