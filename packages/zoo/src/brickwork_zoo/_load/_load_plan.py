"""Planning a load against a module, then carrying it out. Needs torch.

``nn.Module._load_from_state_dict`` decides and copies in one go, and modules override it or hook
into it to rename old keys. To keep what they do and yet to touch nothing before all is checked,
those that do so run it under a mode in which ``copy_`` only notes what would go where.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

from brickwork_zoo._formats._lazy_tensor import Unread
from brickwork_zoo.errors import MismatchError

from ._module_tree import Slot, own_tensors, unwrap, walk

EXTRA_STATE = "_extra_state"  # the last part of the keys that hold a module's get_extra_state()


@dataclass
class Plan:
    """What a load would do.

    Attributes:
        copies: ``id`` of the tensor in the model -> the tensor to load into it.
        targets: ``id`` -> the tensor in the model.
        missing: Names that the state dict does not hold.
        unexpected: Keys that the model has no place for.
        errors: Complaints of the modules, other than these two.
        implied: Names that modules themselves gave a value, as the checkpoint is too old for them.
        shapes: Key -> shape of the tensors offered, after the modules have renamed old keys.
    """

    copies: dict[int, Tensor] = field(default_factory=dict)
    targets: dict[int, Tensor] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    implied: set[str] = field(default_factory=set)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)


class _NoteCopies(TorchFunctionMode):
    """Notes ``target.copy_(source)`` for the given targets instead of copying."""

    def __init__(self, targets: Container[int], notes: dict[int, Tensor]) -> None:
        super().__init__()
        self.targets = targets
        self.notes = notes

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is torch.Tensor.copy_ and id(args[0]) in self.targets:
            self.notes[id(args[0])] = args[1]
            return args[0]
        if func == _IS_META and id(args[0]) in self.targets:
            return False  # meta tensors are replaced later: no warning that copying does nothing
        return func(*args, **(kwargs or {}))


_IS_META = torch.Tensor.is_meta.__get__  # type: ignore[attr-defined]  # a property, to the stubs a bool


def plan(
    module: nn.Module,
    places: Iterable[Slot],
    state_dict: Mapping[str, Any],
    metadata: Mapping[str, Any],
) -> Plan:
    """Find out what loading would do, with all of the modules' own hooks, touching nothing.

    As in :meth:`torch.nn.Module.load_state_dict`, a module sees the keys that lie below it.

    Args:
        module: The model.
        places: All of its places for tensors.
        state_dict: Key -> tensor; left as it is.
        metadata: A state dict's ``_metadata``: module name -> its version and the like.

    Returns:
        The plan.
    """
    result = Plan()
    result.targets = {id(slot.tensor): slot.tensor for slot in places}
    extra = {k for k in state_dict if k.rpartition(".")[2] == EXTRA_STATE}
    offered = {k: v for k, v in state_dict.items() if k not in extra}
    _plan_below(module, "", offered.copy(), metadata, result)
    # Old norms add this counter to the state dict themselves, as zero; it is not from there.
    result.implied = {
        k for k in result.shapes if k.endswith("num_batches_tracked") and k not in offered
    }
    for key in result.implied:
        del result.shapes[key]
    holders = {prefix + EXTRA_STATE for prefix, owner in walk(module) if _has_extra_state(owner)}
    result.errors += _other_kinds(places, result)
    result.missing = [k for k in result.missing if k not in holders or k not in extra]
    result.unexpected += [k for k in state_dict if k in extra and k not in holders]
    return result


def _other_kinds(places: Iterable[Slot], planned: Plan) -> Iterator[str]:
    """Complain of tensors that do not copy into the model's, as sparse ones into dense ones."""
    for slot in places:
        source, target = planned.copies.get(id(slot.tensor)), slot.tensor
        if source is not None and _kind(source) != _kind(target):
            yield f"{slot.name}: {_said(source)} in the checkpoint, {_said(target)} in the model"


def _kind(tensor: Tensor) -> tuple[torch.layout, bool]:
    return tensor.layout, tensor.is_quantized


def _said(tensor: Tensor) -> str:
    layout, quantized = _kind(tensor)
    return str(layout).removeprefix("torch.") + (", quantized" if quantized else "")


def _plan_below(
    module: nn.Module,
    prefix: str,
    below: dict[str, Tensor],
    metadata: Mapping[str, Any],
    result: Plan,
) -> None:
    """Plan for a module and those in it; ``below`` holds what is offered to them."""
    module = unwrap(module)
    own = dict(own_tensors(module))
    if plain := _loads_plainly(module, own, prefix, below):
        _plan_plain(own, prefix, below, result)
    else:
        try:
            with _NoteCopies(result.targets, result.copies):
                module._load_from_state_dict(
                    below,
                    prefix,
                    metadata.get(prefix[:-1], {}),
                    True,
                    result.missing,
                    result.unexpected,
                    result.errors,
                )
        except Exception as error:  # whatever a module's own hook makes of an odd checkpoint
            name = f"{type(module).__name__} at {prefix[:-1]!r}"
            raise MismatchError(f"{name} cannot take what the checkpoint holds: {error}") from error
    of_child: dict[str, dict[str, Tensor]] = {}
    start = len(prefix)
    for key, tensor in below.items():
        head, dot, _ = key[start:].partition(".")
        if dot and head in module._modules:
            of_child.setdefault(head, {})[key] = tensor
            continue
        if isinstance(tensor, Tensor):  # a hook may have put in anything
            result.shapes[key] = tuple(tensor.shape)
        if plain and (dot or head not in own):
            result.unexpected.append(key)
    for name, child in module._modules.items():
        if child is not None:
            _plan_below(child, f"{prefix}{name}.", of_child.get(name, {}), metadata, result)


_MODULE_LOADS = nn.Module._load_from_state_dict
_NORM_LOADS = nn.modules.batchnorm._NormBase._load_from_state_dict


def _loads_plainly(
    module: nn.Module, own: Mapping[str, Tensor], prefix: str, below: Mapping[str, Tensor]
) -> bool:
    """Whether what a module would do to load its own tensors is no more than copying them.

    Most modules are of this kind, and to ask each would be most of what a plan costs.
    """
    if (
        module._load_state_dict_pre_hooks
        or "_load_from_state_dict" in vars(module)
        or _has_extra_state(module)
        or any(map(is_lazy, own.values()))
    ):
        return False
    loads = type(module)._load_from_state_dict
    if loads is _NORM_LOADS:  # adds the counter where an old checkpoint does not have it
        return prefix + "num_batches_tracked" in below
    return loads is _MODULE_LOADS


def _plan_plain(
    own: Mapping[str, Tensor], prefix: str, below: Mapping[str, Tensor], result: Plan
) -> None:
    for name, target in own.items():
        source = below.get(key := prefix + name)
        if source is None:
            result.missing.append(key)
            continue
        if not target.shape and source.shape == (1,):
            source = source[0]  # files from before there were tensors without dimensions
        if source.shape == target.shape:
            result.copies[id(target)] = source


def set_extra_states(module: nn.Module, state_dict: Mapping[str, Any]) -> None:
    """Hand every module its extra state."""
    for prefix, owner in walk(module):
        if _has_extra_state(owner) and prefix + EXTRA_STATE in state_dict:
            owner.set_extra_state(state_dict[prefix + EXTRA_STATE])


def _has_extra_state(module: nn.Module) -> bool:
    return type(module).set_extra_state is not nn.Module.set_extra_state


def carry_out(places: Iterable[Slot], copies: Mapping[int, Tensor], *, assign: bool) -> None:
    """Put the planned tensors into the model.

    Args:
        places: All places for tensors of the model.
        copies: Of a :class:`Plan`.
        assign: Put the tensors themselves in, in the dtype and on the device that the model's
            tensors have, instead of copying their values. Tensors on the meta device, which hold
            no values, are always replaced. Shared tensors stay shared.
    """
    for one in copies.values():
        if isinstance(one, Unread):
            one.find_all()  # what is damaged raises here, before anything is written
    replaced: dict[int, Tensor] = {}
    with torch.no_grad():
        for slot in places:
            target, source = slot.tensor, copies.get(id(slot.tensor))
            if source is None:
                continue
            if not (assign or target.is_meta):
                if id(target) not in replaced:
                    target.copy_(source)
                    replaced[id(target)] = target
                continue
            if id(target) not in replaced:
                replaced[id(target)] = _like(source, target)
            replaced[id(target)] = slot.put(replaced[id(target)])


def _like(source: Tensor, target: Tensor) -> Tensor:
    """``source`` in the dtype of ``target``, and where that has memory on its device."""
    source = source.detach()
    return source.to(dtype=target.dtype) if target.is_meta else source.to(target)
