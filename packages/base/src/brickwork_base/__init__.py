"""BaseModule, Sequential, ModuleList and ModuleDict whose weights initialise from a config."""

__version__ = "0.1.0"
