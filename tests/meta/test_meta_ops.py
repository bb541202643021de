"""`brickwork.ops` has the operators under mmcv's modules and names."""

import importlib
import inspect

import brickwork_ops
import pytest
from brickwork import ops

MODULES = (
    "bbox",
    "carafe",
    "cc_attention",
    "corner_pool",
    "deform_conv",
    "focal_loss",
    "masked_conv",
    "modulated_deform_conv",
    "multi_scale_deform_attn",
    "nms",
    "point_sample",
    "psa_mask",
    "roi_align",
    "roi_pool",
    "saconv",
    "sync_bn",
)


@pytest.mark.parametrize("name", MODULES)
def test_module_only_re_exports(name):
    module = importlib.import_module(f"brickwork.ops.{name}")
    public = {key: value for key, value in vars(module).items() if not key.startswith("_")}
    assert public
    assert all(getattr(brickwork_ops, key) is value for key, value in public.items())


@pytest.mark.parametrize("name", ["carafe", "nms", "point_sample", "roi_align", "roi_pool"])
def test_function_is_not_replaced_by_the_module_of_its_name(name):
    importlib.import_module(f"brickwork.ops.{name}")
    assert inspect.isfunction(getattr(ops, name))
