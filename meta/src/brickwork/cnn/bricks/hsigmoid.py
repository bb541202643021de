"""Hard sigmoid."""

from brickwork_layers import HSigmoid as HSigmoid
