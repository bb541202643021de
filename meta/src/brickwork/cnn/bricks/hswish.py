"""Hard swish."""

from brickwork_layers import HSwish as HSwish
