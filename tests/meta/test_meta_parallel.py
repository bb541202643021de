"""`brickwork.parallel`: data containers and module wrappers."""

import pickle

import pytest
import torch
from brickwork.parallel import MODULE_WRAPPERS, DataContainer, is_module_wrapper
from brickwork_registry import Registry
from torch import nn


def test_data_container_keeps_its_contents_and_options():
    container = DataContainer(
        torch.ones(2, 3), stack=True, padding_value=255, cpu_only=True, pad_dims=1
    )
    assert torch.equal(container.data, torch.ones(2, 3))
    assert (container.stack, container.padding_value) == (True, 255)
    assert (container.cpu_only, container.pad_dims) == (True, 1)
    assert (container.size(), container.size(0), container.dim()) == (torch.Size([2, 3]), 2, 2)
    assert (container.datatype, len(container)) == ("torch.FloatTensor", 2)
    assert repr(DataContainer([1])) == "DataContainer([1])"
    assert torch.equal(pickle.loads(pickle.dumps(container)).data, container.data)


def test_data_container_of_another_type_has_no_size():
    container = DataContainer(["a", "b"])
    assert (container.datatype, container.pad_dims) == (list, 2)
    with pytest.raises(AttributeError, match=r"no size\(\) unless it holds a tensor, got .*list"):
        container.size()


def test_data_container_refuses_other_numbers_of_dimensions():
    with pytest.raises(ValueError, match="pad_dims must be one of None, 1, 2, 3, got 4"):
        DataContainer(torch.ones(1), pad_dims=4)


def test_wrappers_are_those_of_the_registry_and_its_children():
    child = Registry("module wrapper", parent=MODULE_WRAPPERS, scope="test_wrappers")

    @child.register_module()
    class OwnWrapper(nn.Module): ...

    assert is_module_wrapper(nn.DataParallel(nn.Linear(1, 1)))
    assert is_module_wrapper(OwnWrapper())
    assert not is_module_wrapper(nn.Linear(1, 1))
    del MODULE_WRAPPERS.children["test_wrappers"]
