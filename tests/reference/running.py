"""Running of a case with a library, the same way for mmcv and brickwork."""

import copy
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

Lookup = Callable[[str], Any]


@dataclass
class Result:
    """Result of a case.

    Args:
        label: Name that a builder returned with the layer, or "".
        frozen: Names of the parameters without gradient.
        constructed: The state dict after the constructor.
        finished: The state dict after the functions that follow; None without any.
        outputs: Tensors and numbers that the call returned, in order.
    """

    label: str
    frozen: list[str]
    constructed: dict[str, torch.Tensor]
    finished: dict[str, torch.Tensor] | None
    outputs: list[torch.Tensor] = field(default_factory=list)


def run(case: Mapping[str, Any], lookup: Lookup) -> Result:
    """Build the object of a case, call its functions and the object itself.

    Args:
        case: One of `cases.GROUPS`.
        lookup: From a bare name to the library's class or function.
    """
    torch.manual_seed(0)
    built = _build(copy.deepcopy(case["build"]), lookup)
    label, module = built if isinstance(built, tuple) else ("", built)
    constructed = _state(module)
    frozen = [name for name, value in module.named_parameters() if not value.requires_grad]

    finished = None
    if case["then"]:
        torch.manual_seed(1)
        for step in copy.deepcopy(case["then"]):
            if step["new"] == "init_weights":
                module.init_weights()
            else:
                lookup(step["new"])(module, *step["args"], **step["kwargs"])
        finished = _state(module)

    outputs: list[torch.Tensor] = []
    if case["inputs"]:
        _perturb(module)
        module.train(case["train"])
        inputs = [_tensor(f"input {i}", shape) for i, shape in enumerate(case["inputs"])]
        options = {
            name: _tensor(name, value) if name.endswith("_pos") else value
            for name, value in case["options"].items()
        }
        torch.manual_seed(2)
        with torch.no_grad():
            outputs = _flatten(module(*inputs, **options))
        if case["train"]:
            outputs += [value.clone() for value in module.buffers()]
    return Result(label, frozen, constructed, finished, outputs)


def own_init(base: type) -> type:
    """Return a class on the library's base with an `init_weights` of its own, as users write it."""

    class OwnInit(base):  # type: ignore[misc]  # the base is only known here
        def __init__(self, value: float, init_cfg: Any = None) -> None:
            super().__init__(init_cfg)
            self.value = value
            self.conv = nn.Conv2d(2, 3, 1)
            self.fc = nn.Linear(2, 3)

        def init_weights(self) -> None:
            super().init_weights()
            nn.init.constant_(self.fc.weight, self.value)

    return OwnInit


def _build(value: Any, lookup: Lookup) -> Any:
    if isinstance(value, dict) and "new" in value:
        name = value["new"]
        if name.startswith("nn."):
            target = getattr(nn, name[3:])
        elif name == "OwnInit":
            target = own_init(lookup("BaseModule"))
        else:
            target = lookup(name)
        args = [_build(item, lookup) for item in value["args"]]
        return target(*args, **{key: _build(item, lookup) for key, item in value["kwargs"].items()})
    if isinstance(value, dict):
        return {key: _build(item, lookup) for key, item in value.items()}
    if isinstance(value, list):
        return [_build(item, lookup) for item in value]
    return value


def _state(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def _perturb(module: nn.Module) -> None:
    """Give every parameter and buffer known nonzero values, so that all affect the outputs.

    They come from numpy's legacy generator, whose stream never changes.
    """
    for name, value in module.state_dict().items():
        if not value.is_floating_point():
            continue
        if name.endswith("running_var"):
            value.copy_(_tensor(name, value.shape).abs() + 0.5)
        elif name.rpartition(".")[2] not in ("weight_u", "weight_v"):  # unit vectors have to stay
            value.copy_(0.3 * _tensor(name, value.shape))


def _tensor(name: str, shape: Any) -> torch.Tensor:
    draws = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(tuple(shape))
    return torch.from_numpy(np.asarray(draws, dtype=np.float32))


def _flatten(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value.clone()]
    if isinstance(value, tuple | list):
        return [tensor for item in value for tensor in _flatten(item)]
    return [torch.tensor(value)]
