"""Planning which tensors to load into a model, without changing the model. Needs torch.

``nn.Module._load_from_state_dict`` checks and copies in one step. Modules override it or add hooks,
for example to rename old keys or to load values that are not tensors. To check everything before
the model changes, an override runs on a shallow copy of its module (a stand-in), in a mode that
records calls of ``copy_`` instead of executing them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from brickwork_init import RecordingModule, recording_paused
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from brickwork_zoo.errors import MismatchError

from ._module_tree import EXTRA_STATE, Slot, non_persistent_names, own_tensors, unwrap, walk


@dataclass
class Plan:
    """The changes that loading a state dict would make to a model.

    Attributes:
        copies: ``id`` of a tensor in the model -> the tensor to load into it.
        targets: ``id`` of a tensor in the model -> that tensor.
        missing: Names in the model that the state dict does not have.
        unexpected: Keys of the state dict for which the model has no slot.
        ignored: Keys of non-persistent buffers.
        errors: Other errors that modules reported.
        implied: Names that a module sets to a default, because old checkpoints lack them.
        shapes: Key -> shape of the tensors, after the modules have renamed old keys.
        loaded_by_modules: Keys that modules load into attributes with methods of their own.
        attributes: Modules and the attributes that they would set on themselves.
    """

    copies: dict[int, Tensor] = field(default_factory=dict)
    targets: dict[int, Tensor] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    implied: set[str] = field(default_factory=set)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    loaded_by_modules: list[str] = field(default_factory=list)
    attributes: list[tuple[nn.Module, dict[str, Any]]] = field(default_factory=list)


class _RecordCopies(TorchFunctionMode):
    """Mode that records ``target.copy_(source)`` for some targets instead of copying."""

    def __init__(self, targets: Container[int], copies: dict[int, Tensor]) -> None:
        super().__init__()
        self.targets = targets
        self.copies = copies

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is torch.Tensor.copy_ and id(args[0]) in self.targets:
            self.copies[id(args[0])] = args[1]
            return args[0]
        if func == _IS_META and id(args[0]) in self.targets:
            return False  # avoids torch's warning: here meta tensors are replaced later
        return func(*args, **(kwargs or {}))


_IS_META = torch.Tensor.is_meta.__get__  # type: ignore[attr-defined]  # a property, to the stubs a bool


def plan(
    module: nn.Module,
    model_slots: Iterable[Slot],
    state_dict: Mapping[str, Any],
    metadata: Mapping[str, Any],
) -> Plan:
    """Plan loading a state dict, including the hooks and overrides of all modules.

    As in :meth:`torch.nn.Module.load_state_dict`, each module receives the keys below its name.
    Before that, a module with a method ``rename_checkpoint_keys(state_dict, prefix, metadata)``
    may rename any key, as the layers of ``brickwork-ops`` do. ``metadata`` maps names of modules
    to their versions.
    """
    result = Plan()
    result.targets = {id(slot.tensor): slot.tensor for slot in model_slots}
    extra = {k for k in state_dict if k.rpartition(".")[2] == EXTRA_STATE}
    offered = {k: v for k, v in state_dict.items() if k not in extra}
    for prefix, owner in walk(module):
        rename: Any = getattr(owner, "rename_checkpoint_keys", None)
        if rename is not None:
            rename(offered, prefix, metadata.get(prefix[:-1], {}))
    _plan_below(module, "", offered.copy(), metadata, result)
    # Norms add this counter, with value 0, if the checkpoint is too old to have it.
    result.implied = {
        k for k in result.shapes if k.endswith("num_batches_tracked") and k not in offered
    }
    for key in result.implied:
        del result.shapes[key]
    holders = {prefix + EXTRA_STATE for prefix, owner in walk(module) if _has_extra_state(owner)}
    result.errors += _layout_errors(model_slots, result)
    result.missing = [k for k in result.missing if k not in holders or k not in extra]
    result.unexpected += [k for k in state_dict if k in extra and k not in holders]
    non_persistent = non_persistent_names(module)
    result.ignored = [k for k in result.unexpected if k in non_persistent]
    result.unexpected = [k for k in result.unexpected if k not in non_persistent]
    return result


def _layout_errors(model_slots: Iterable[Slot], planned: Plan) -> Iterator[str]:
    """Yield an error for each tensor that cannot be copied, such as sparse into dense."""
    for slot in model_slots:
        source, target = planned.copies.get(id(slot.tensor)), slot.tensor
        if source is not None and _kind(source) != _kind(target):
            yield (
                f"{slot.name}: {_kind_text(source)} in the checkpoint, "
                f"{_kind_text(target)} in the model"
            )


def _kind(tensor: Tensor) -> tuple[torch.layout, bool]:
    return tensor.layout, tensor.is_quantized


def _kind_text(tensor: Tensor) -> str:
    layout, quantized = _kind(tensor)
    return str(layout).removeprefix("torch.") + (", quantized" if quantized else "")


def _plan_below(
    module: nn.Module,
    prefix: str,
    below: dict[str, Any],
    metadata: Mapping[str, Any],
    result: Plan,
) -> None:
    """Add a module and its submodules to the plan; ``below`` has the entries with their prefix."""
    module = unwrap(module)
    own = dict(own_tensors(module))
    if plain := _loads_plainly(module, own, prefix, below):
        _plan_plain(own, prefix, below, result)
    else:
        _plan_by_module(module, prefix, below, metadata.get(prefix[:-1], {}), result)
    of_child: dict[str, dict[str, Any]] = {}
    start = len(prefix)
    for key, value in below.items():
        head, dot, _ = key[start:].partition(".")
        if dot and head in module._modules:
            of_child.setdefault(head, {})[key] = value
            continue
        if isinstance(value, Tensor):  # hooks may have added other values
            result.shapes[key] = tuple(value.shape)
        if plain and (dot or head not in own):
            result.unexpected.append(key)
    for name, child in module._modules.items():
        if child is not None:
            _plan_below(child, f"{prefix}{name}.", of_child.get(name, {}), metadata, result)


_MODULE_LOADS = nn.Module._load_from_state_dict
_RECORDING_MODULE_LOADS = (
    RecordingModule._load_from_state_dict
)  # a plain load; its records are made here by the caller
_NORM_LOADS = nn.modules.batchnorm._NormBase._load_from_state_dict


def _loads_plainly(
    module: nn.Module, own: Mapping[str, Tensor], prefix: str, below: Mapping[str, Any]
) -> bool:
    """Return whether loading a module only copies the tensors that have its names.

    This holds for most modules. Skipping their ``_load_from_state_dict`` saves most of the time.
    """
    if (
        module._load_state_dict_pre_hooks
        or _overrides_load(module)
        or _has_extra_state(module)
        or any(map(is_lazy, own.values()))
    ):
        return False
    if type(module)._load_from_state_dict is _NORM_LOADS:  # adds a missing num_batches_tracked
        return prefix + "num_batches_tracked" in below
    return True


def _overrides_load(module: nn.Module) -> bool:
    return type(module)._load_from_state_dict not in (
        _MODULE_LOADS,
        _NORM_LOADS,
        _RECORDING_MODULE_LOADS,
    ) or "_load_from_state_dict" in vars(module)


def _plan_plain(
    own: Mapping[str, Tensor], prefix: str, below: Mapping[str, Any], result: Plan
) -> None:
    for name, target in own.items():
        source = below.get(key := prefix + name)
        if source is None:
            result.missing.append(key)
            continue
        if not isinstance(source, Tensor):
            continue  # the caller refuses it
        if not target.shape and source.shape == (1,):
            source = source[0]  # torch before 0.4 had no 0-dimensional tensors
        if source.shape == target.shape:
            result.copies[id(target)] = source


def _plan_by_module(
    module: nn.Module,
    prefix: str,
    below: dict[str, Any],
    local_metadata: Mapping[str, Any],
    result: Plan,
) -> None:
    """Add a module to the plan by calling its ``_load_from_state_dict``, on a stand-in."""
    subject = _stand_in(module) if _overrides_load(module) else module
    keys = list(below)
    try:
        with torch.no_grad(), recording_paused(), _RecordCopies(result.targets, result.copies):
            subject._load_from_state_dict(
                below,
                prefix,
                local_metadata,
                True,
                result.missing,
                result.unexpected,
                result.errors,
            )
    except Exception as error:  # user-defined methods may raise anything
        name = f"{type(module).__name__} at {prefix[:-1]!r}"
        raise MismatchError(f"{name} cannot load its part of the checkpoint: {error}") from error
    if changed := _changes(module, subject):
        result.attributes.append((module, changed))
        result.loaded_by_modules += [key for key in keys if key not in below]


_TABLES = ("_parameters", "_buffers", "_modules")


def _stand_in(module: nn.Module) -> nn.Module:
    """Return a shallow copy of a module; setting attributes on it does not change the module."""
    stand_in: nn.Module = object.__new__(type(module))
    vars(stand_in).update(vars(module))
    vars(stand_in).update({name: dict(vars(module)[name]) for name in _TABLES})
    return stand_in


def _changes(module: nn.Module, stand_in: nn.Module) -> dict[str, Any]:
    """Return the attributes that were set on a stand-in."""
    old, new = vars(module), vars(stand_in)
    changed = {
        name: value
        for name, value in new.items()
        if name not in _TABLES and (name not in old or old[name] is not value)
    }
    for table in _TABLES:
        if any(new[table][name] is not old[table].get(name) for name in new[table]):
            changed[table] = new[table]
    return changed


def set_attributes(planned: Plan) -> None:
    """Set the planned attributes on the modules themselves."""
    for module, attributes in planned.attributes:
        vars(module).update(attributes)


def set_extra_states(module: nn.Module, state_dict: Mapping[str, Any]) -> None:
    """Call ``set_extra_state`` of every module whose extra state is in the state dict."""
    for prefix, owner in walk(module):
        if _has_extra_state(owner) and prefix + EXTRA_STATE in state_dict:
            owner.set_extra_state(state_dict[prefix + EXTRA_STATE])


def _has_extra_state(module: nn.Module) -> bool:
    return type(module).set_extra_state is not nn.Module.set_extra_state
