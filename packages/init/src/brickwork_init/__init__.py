"""Weight initialisation from config dicts, with provenance by parameter."""

__version__ = "0.1.0"
