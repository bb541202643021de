"""Decorators for methods that run in half or in single precision, based on `torch.autocast`.

Both do nothing until the module's `fp16_enabled` is true, see `wrap_fp16_model`.
"""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import torch
from torch import nn

__all__ = ["auto_fp16", "cast_tensor_type", "force_fp32", "wrap_fp16_model"]

F = TypeVar("F", bound=Callable[..., Any])


def auto_fp16(
    apply_to: Collection[str] | None = None,
    out_fp32: bool = False,
    supported_types: tuple[type, ...] = (nn.Module,),
) -> Callable[[F], F]:
    """Return a decorator that runs a method in half precision if `fp16_enabled` is set.

    Args:
        apply_to: Names of the arguments whose float32 tensors are cast to float16; None for all.
        out_fp32: Whether float16 tensors of the result are cast to float32.
        supported_types: Classes whose methods may be decorated.
    """
    return _in_precision(
        "auto_fp16", apply_to, torch.float32, torch.float16, out_fp32, supported_types
    )


def force_fp32(apply_to: Collection[str] | None = None, out_fp16: bool = False) -> Callable[[F], F]:
    """Return a decorator that runs a method in single precision even if `fp16_enabled` is set.

    Args:
        apply_to: Names of the arguments whose float16 tensors are cast to float32; None for all.
        out_fp16: Whether float32 tensors of the result are cast to float16.
    """
    return _in_precision(
        "force_fp32", apply_to, torch.float16, torch.float32, out_fp16, (nn.Module,)
    )


def wrap_fp16_model(model: nn.Module) -> None:
    """Set `fp16_enabled` on every module of a model that has this attribute.

    Args:
        model: The model. Its parameters stay in float32; `torch.autocast` casts them as needed.
    """
    for module in model.modules():
        if hasattr(module, "fp16_enabled"):
            module.fp16_enabled = True  # type: ignore[assignment]  # a plain attribute


def cast_tensor_type(inputs: Any, src_type: torch.dtype, dst_type: torch.dtype) -> Any:
    """Cast the tensors of a dtype in nested mappings, lists and tuples.

    Args:
        inputs: A tensor, or a mapping, list or tuple of such; other objects are returned unchanged.
        src_type: Dtype of the tensors to cast.
        dst_type: Dtype to cast to.
    """
    if isinstance(inputs, torch.Tensor):
        return inputs.to(dst_type) if inputs.dtype == src_type else inputs
    cast = functools.partial(cast_tensor_type, src_type=src_type, dst_type=dst_type)
    if isinstance(inputs, Mapping):
        return type(inputs)({key: cast(value) for key, value in inputs.items()})  # type: ignore[call-arg]  # the usual mappings are built from one
    if isinstance(inputs, tuple) and hasattr(inputs, "_fields"):
        return type(inputs)(*map(cast, inputs))
    if isinstance(inputs, list | tuple | set):
        return type(inputs)(map(cast, inputs))
    return inputs


def _in_precision(
    decorator: str,
    apply_to: Collection[str] | None,
    src_type: torch.dtype,
    dst_type: torch.dtype,
    cast_back: bool,
    supported_types: tuple[type, ...],
) -> Callable[[F], F]:
    def decorate(method: F) -> F:
        positional = inspect.getfullargspec(method).args

        @functools.wraps(method)
        def in_precision(self: Any, *args: Any, **kwargs: Any) -> Any:
            if not isinstance(self, supported_types):
                allowed = ", ".join(kind.__name__ for kind in supported_types)
                raise TypeError(
                    f"@{decorator} decorates methods of {allowed}, but {method.__qualname__} was"
                    f" called on {type(self).__name__}"
                )
            if not getattr(self, "fp16_enabled", False):
                return method(self, *args, **kwargs)

            def cast(name: str, value: Any) -> Any:
                is_selected = apply_to is None or name in apply_to
                return cast_tensor_type(value, src_type, dst_type) if is_selected else value

            # *args beyond the named arguments are not cast, as in mmcv
            named = [cast(name, value) for name, value in zip(positional[1:], args, strict=False)]
            args = (*named, *args[len(named) :])
            kwargs = {name: cast(name, value) for name, value in kwargs.items()}
            enabled = dst_type == torch.float16
            with torch.autocast(_device_type(self, args), dtype=torch.float16, enabled=enabled):
                output = method(self, *args, **kwargs)
            return cast_tensor_type(output, dst_type, src_type) if cast_back else output

        return in_precision  # type: ignore[return-value]  # functools.wraps keeps the signature

    return decorate


def _device_type(module: Any, args: tuple[Any, ...]) -> str:
    parameters = module.parameters() if isinstance(module, nn.Module) else ()
    for tensor in (*args, *parameters):
        if isinstance(tensor, torch.Tensor):
            return tensor.device.type
    return "cpu"
