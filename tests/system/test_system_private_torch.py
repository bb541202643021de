"""Private names of torch that the packages use; a new version of torch may remove them."""

import ast
import importlib
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from tests.support.repository import DISTRIBUTIONS

# Names of modules of torch, private themselves or in a private module.
NAMES = [
    "torch._C._disabled_torch_function_impl",
    "torch._C._get_tracing_state",
    "torch.distributed.checkpoint.filesystem._StorageInfo",
    "torch.nn.modules.batchnorm._BatchNorm",
    "torch.nn.modules.batchnorm._NormBase",
    "torch.nn.modules.conv._ConvNd",
    "torch.nn.modules.conv._ConvTransposeNd",
    "torch.nn.modules.instancenorm._InstanceNorm",
    "torch.nn.modules.module._IncompatibleKeys",
    "torch.nn.modules.pooling._AdaptiveAvgPoolNd",
    "torch.nn.modules.pooling._AdaptiveMaxPoolNd",
    "torch.nn.modules.pooling._AvgPoolNd",
    "torch.nn.modules.pooling._MaxPoolNd",
    "torch.utils._python_dispatch.TorchDispatchMode",
    "torch.utils._python_dispatch._get_current_dispatch_mode",
    "torch.utils._pytree.tree_leaves",
    "torch.utils._pytree.tree_map_only",
]

# Attributes and methods of objects of torch.
MEMBERS = [
    "_buffers",
    "_cdata",
    "_check_input_dim",
    "_conv_forward",
    "_forward_hooks",
    "_forward_pre_hooks",
    "_load_from_state_dict",
    "_load_state_dict_post_hooks",
    "_load_state_dict_pre_hooks",
    "_make_wrapper_subclass",
    "_modules",
    "_non_persistent_buffers_set",
    "_parameters",
    "_save_to_state_dict",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_version",
]
OBJECTS = [nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), torch.ones(1), torch.ones(1).untyped_storage()]


def is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in name.split("."))


def private_names(tree: ast.AST) -> Iterator[str]:
    """Yield the private names of modules of torch in a source file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "torch":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node).startswith("torch."):
            yield ast.unparse(node)


def private_members(tree: ast.AST) -> Iterator[str]:
    """Yield the attributes in a source file that objects of torch have."""
    for node in ast.walk(tree):
        is_candidate = isinstance(node, ast.Attribute) and is_private(node.attr)
        if is_candidate and any(hasattr(value, node.attr) for value in OBJECTS):
            yield node.attr


def trees() -> Iterator[ast.AST]:
    for distribution in DISTRIBUTIONS.values():
        for source in distribution.package.rglob("*.py"):
            yield ast.parse(source.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_private_name_exists_in_this_torch(name):
    module, _, attribute = name.rpartition(".")
    assert hasattr(importlib.import_module(module), attribute)


@pytest.mark.parametrize("name", MEMBERS)
def test_private_member_exists_in_this_torch(name):
    assert any(hasattr(value, name) for value in OBJECTS)


def test_every_private_name_in_the_source_is_listed():
    used = {name for tree in trees() for name in private_names(tree) if is_private(name)}
    # `torch._C` alone, and the attributes of a name that is listed
    used = {name for name in used if name != "torch._C" and not name.startswith(tuple(NAMES))}
    assert not used


def test_every_private_member_in_the_source_is_listed():
    used = {name for tree in trees() for name in private_members(tree)}
    assert used <= set(MEMBERS)
