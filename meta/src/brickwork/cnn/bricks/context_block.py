"""Global context (GCNet)."""

from brickwork_modules import ContextBlock as ContextBlock
