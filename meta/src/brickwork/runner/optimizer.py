"""Optimizers from configs, with settings for groups of parameters."""

import copy
import importlib
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from brickwork_registry import Registry, build_from_cfg
from torch import nn

from brickwork.utils.parrots_wrapper import _BatchNorm, _InstanceNorm

__all__ = [
    "OPTIMIZERS",
    "OPTIMIZER_BUILDERS",
    "TORCH_OPTIMIZERS",
    "DefaultOptimizerConstructor",
    "build_optimizer",
    "build_optimizer_constructor",
    "register_torch_optimizers",
]

OPTIMIZERS: Registry[Any] = Registry("optimizer", scope="mmcv")
OPTIMIZER_BUILDERS: Registry[Any] = Registry("optimizer builder", scope="mmcv")


def register_torch_optimizers() -> list[str]:
    """Register the optimizers of `torch.optim`, and return their names."""
    names = []
    for name, value in sorted(vars(torch.optim).items()):
        if isinstance(value, type) and issubclass(value, torch.optim.Optimizer):
            OPTIMIZERS.register_module(name, module=value)
            names.append(name)
    return names


TORCH_OPTIMIZERS = register_torch_optimizers()


def build_optimizer_constructor(cfg: Mapping[str, Any]) -> Any:
    """Build the object that makes the optimizer of a model, from `OPTIMIZER_BUILDERS`."""
    return build_from_cfg(cfg, OPTIMIZER_BUILDERS)


def build_optimizer(model: nn.Module, cfg: Mapping[str, Any]) -> Any:
    """Build the optimizer of a model.

    Args:
        model: The model.
        cfg: `type` and arguments of the optimizer; `constructor` names an entry of
            `OPTIMIZER_BUILDERS`, `"DefaultOptimizerConstructor"` by default, and `paramwise_cfg`
            is passed to it.

    Returns:
        The optimizer.
    """
    optimizer_cfg = dict(copy.deepcopy(cfg))
    constructor = build_optimizer_constructor(
        {
            "type": optimizer_cfg.pop("constructor", "DefaultOptimizerConstructor"),
            "paramwise_cfg": optimizer_cfg.pop("paramwise_cfg", None),
            "optimizer_cfg": optimizer_cfg,
        }
    )
    return constructor(model)


@OPTIMIZER_BUILDERS.register_module()
class DefaultOptimizerConstructor:
    """Maker of optimizers whose learning rate and weight decay may differ between parameters.

    `paramwise_cfg` has these keys, all of them optional:

    - `custom_keys`: part of a parameter's name → `lr_mult` and `decay_mult` of the parameters
      whose names contain it; the longest one applies, and excludes the rules below.
    - `bias_lr_mult`, `bias_decay_mult`: factors for biases, except those of norms and of
      convolutions that predict offsets.
    - `norm_decay_mult`: factor for all parameters of norms.
    - `dwconv_decay_mult`: factor for depthwise convolutions.
    - `dcn_offset_lr_mult`: factor for convolutions that predict offsets of deformable ones.
    - `bypass_duplicate`: whether a parameter that occurs twice is left out the second time.

    Args:
        optimizer_cfg: `type` and arguments of the optimizer.
        paramwise_cfg: The factors.

    Raises:
        TypeError: If an argument, or `custom_keys`, is not a dict.
        ValueError: If there is a factor for the weight decay, but no weight decay.
    """

    def __init__(
        self, optimizer_cfg: dict[str, Any], paramwise_cfg: dict[str, Any] | None = None
    ) -> None:
        if not isinstance(optimizer_cfg, dict):
            raise TypeError(f"optimizer_cfg must be a dict, got {optimizer_cfg!r}")
        self.optimizer_cfg = optimizer_cfg
        self.paramwise_cfg = {} if paramwise_cfg is None else paramwise_cfg
        self.base_lr = optimizer_cfg.get("lr")
        self.base_wd = optimizer_cfg.get("weight_decay")
        self._validate_cfg()

    def _validate_cfg(self) -> None:
        if not isinstance(self.paramwise_cfg, dict):
            raise TypeError(f"paramwise_cfg must be None or a dict, got {self.paramwise_cfg!r}")
        custom_keys = self.paramwise_cfg.get("custom_keys", {})
        if not isinstance(custom_keys, dict):
            raise TypeError(f"custom_keys must be a dict, got {custom_keys!r}")
        factors = {"bias_decay_mult", "norm_decay_mult", "dwconv_decay_mult"} & set(
            self.paramwise_cfg
        )
        factors |= {key for key, options in custom_keys.items() if "decay_mult" in options}
        if factors and self.base_wd is None:
            raise ValueError(
                f"paramwise_cfg changes the weight decay ({', '.join(sorted(factors))}), but"
                f" optimizer_cfg has no weight_decay"
            )

    def __call__(self, model: nn.Module) -> Any:
        """Build the optimizer of a model, or of the model that a wrapper holds."""
        model = getattr(model, "module", model)
        optimizer_cfg = self.optimizer_cfg.copy()
        if self.paramwise_cfg:
            optimizer_cfg["params"] = []
            self.add_params(optimizer_cfg["params"], model)
        else:
            optimizer_cfg["params"] = model.parameters()
        return build_from_cfg(optimizer_cfg, OPTIMIZERS)

    def add_params(
        self,
        params: list[dict[str, Any]],
        module: nn.Module,
        prefix: str = "",
        is_dcn_module: bool | None = None,
    ) -> None:
        """Append a group for each parameter of a module and of its children.

        Args:
            params: The groups; modified in place.
            module: The module.
            prefix: Name of the module in the model.
            is_dcn_module: Whether the module lies in a deformable convolution.
        """
        for name, parameter in module.named_parameters(recurse=False):
            group: dict[str, Any] = {"params": [parameter]}
            if parameter.requires_grad:
                if self.paramwise_cfg.get("bypass_duplicate", False) and self._is_in(group, params):
                    warnings.warn(
                        f"{prefix} is left out: the optimizer has its parameter {name} already, and"
                        f" bypass_duplicate is set",
                        stacklevel=2,
                    )
                    continue
                custom = self._custom_options(f"{prefix}.{name}")
                if custom is None:
                    group.update(self._rule_options(module, name, prefix, bool(is_dcn_module)))
                else:
                    group.update(custom)
            params.append(group)
        is_dcn_module = isinstance(module, _deformable_convolutions())
        for child_name, child in module.named_children():
            child_prefix = f"{prefix}.{child_name}" if prefix else child_name
            self.add_params(params, child, prefix=child_prefix, is_dcn_module=is_dcn_module)

    def _is_in(self, param_group: dict[str, Any], param_group_list: list[dict[str, Any]]) -> bool:
        present = {parameter for group in param_group_list for parameter in group["params"]}
        return not present.isdisjoint(param_group["params"])

    def _custom_options(self, name: str) -> dict[str, Any] | None:
        """Return the options of the longest custom key in a parameter's name; None without one."""
        custom_keys = self.paramwise_cfg.get("custom_keys", {})
        for key in sorted(sorted(custom_keys), key=len, reverse=True):
            if key in name:
                options = {"lr": self.base_lr * custom_keys[key].get("lr_mult", 1.0)}
                if self.base_wd is not None:
                    decay_mult = custom_keys[key].get("decay_mult", 1.0)
                    options["weight_decay"] = self.base_wd * decay_mult
                return options
        return None

    def _rule_options(
        self, module: nn.Module, name: str, prefix: str, is_dcn_module: bool
    ) -> dict[str, Any]:
        """Return the options that the kind of a module and the name of its parameter give."""
        factor = self.paramwise_cfg.get
        is_norm = isinstance(module, (_BatchNorm, _InstanceNorm, nn.GroupNorm, nn.LayerNorm))
        is_convolution = isinstance(module, nn.Conv2d)
        options = {}
        if name == "bias" and not (is_norm or is_dcn_module):
            options["lr"] = self.base_lr * factor("bias_lr_mult", 1.0)
        if "conv_offset" in prefix and is_dcn_module and is_convolution:
            options["lr"] = self.base_lr * factor("dcn_offset_lr_mult", 1.0)
        if self.base_wd is None:
            return options
        if is_norm:
            options["weight_decay"] = self.base_wd * factor("norm_decay_mult", 1.0)
        elif is_convolution and module.in_channels == module.groups:
            options["weight_decay"] = self.base_wd * factor("dwconv_decay_mult", 1.0)
        elif name == "bias" and not is_dcn_module:
            options["weight_decay"] = self.base_wd * factor("bias_decay_mult", 1.0)
        return options


def _deformable_convolutions() -> tuple[type, ...]:
    """Return the classes of convolutions whose children predict offsets."""
    try:
        operators = importlib.import_module("brickwork_ops")
    except ImportError:  # optional
        return ()
    return operators.DeformConv2d, operators.ModulatedDeformConv2d
