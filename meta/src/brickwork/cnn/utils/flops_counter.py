"""Counting operations and parameters."""

from brickwork_modules import flops_to_string as flops_to_string
from brickwork_modules import get_model_complexity_info as get_model_complexity_info
from brickwork_modules import get_model_parameters_number as get_model_parameters_number
from brickwork_modules import params_to_string as params_to_string
