"""Counting operations and parameters."""

from brickwork_modules import (
    flops_to_string,
    get_model_complexity_info,
    get_model_parameters_number,
    params_to_string,
)

__all__ = [
    "flops_to_string",
    "get_model_complexity_info",
    "get_model_parameters_number",
    "params_to_string",
]
