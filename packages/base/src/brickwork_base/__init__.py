"""BaseModule, Sequential, ModuleList and ModuleDict whose weights initialize from a config."""

from brickwork_init import init_report as init_report

from ._base_module import BaseModule as BaseModule
from ._base_module import ModuleDict as ModuleDict
from ._base_module import ModuleList as ModuleList
from ._base_module import Sequential as Sequential

__version__ = "0.1.0"

__all__ = ["BaseModule", "ModuleDict", "ModuleList", "Sequential", "init_report"]
