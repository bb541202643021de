"""Comparison of modules and state dicts."""

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn


def is_filled(module: nn.Module, weight: float, bias: float) -> bool:
    """Return whether every element of `module.weight` and `module.bias` has the given value."""
    return bool((module.weight == weight).all() and (module.bias == bias).all())


def states_equal(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> bool:
    """Return whether two state dicts have the same keys and bitwise equal values."""
    return actual.keys() == expected.keys() and all(
        torch.equal(actual[key], value) for key, value in expected.items()
    )


def state_shapes(module: nn.Module) -> dict[str, list[int]]:
    """Return the shapes of a state dict by key."""
    return {key: list(value.shape) for key, value in module.state_dict().items()}


def state_digest(module: nn.Module) -> str:
    """Return the SHA-256 of all values of a state dict, ordered by key."""
    digest = hashlib.sha256()
    for _, value in sorted(module.state_dict().items()):
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def assert_matches_stored(
    actual: Tensor, expected: Tensor, *, name: str = "tensor", ulps: int = 8
) -> None:
    """Compare a tensor with one that was stored on another processor.

    What every processor computes alike is compared exactly: integers and constants. Everything
    else goes through a transcendental function (the logarithm and cosine of a normal draw,
    ``erfinv``) or a sum, whose last bits depend on the processor's vector width and on the math
    library. Their error is relative to the largest term, so the tolerance is `ulps` units in the
    last place of the largest absolute value: about 1e-6 of it, where a wrong gain, fan, bound or
    order of draws gives differences of a percent or more.

    Args:
        actual: Tensor of any dtype; it is compared as float32, as which values are stored.
        expected: Stored tensor.
        name: Name for the error.
        ulps: Tolerance; a sum of many terms needs more than a draw.
    """
    actual = actual.float()
    is_constant = expected.numel() > 0 and bool((expected == expected.view(-1)[0]).all())
    is_exact = is_constant or bool((expected == expected.round()).all())
    largest = expected.abs().max().item() if expected.numel() else 0.0
    tolerance = 0.0 if is_exact else ulps * torch.finfo(torch.float32).eps * largest
    torch.testing.assert_close(
        actual, expected, rtol=0, atol=tolerance, msg=lambda message: f"{name}: {message}"
    )
