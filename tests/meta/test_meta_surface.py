"""The meta-package re-exports the other packages lazily and defines little itself."""

import ast
import importlib
import inspect
import json
from pathlib import Path

import brickwork
import pytest

from tests.support.python import run_python

SOURCE = Path(brickwork.__file__).parent
STUBS = sorted(SOURCE.rglob("__init__.pyi"))


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("stub", STUBS, ids=module_of)
def test_every_name_of_a_stub_exists(stub):
    module = importlib.import_module(module_of(stub))
    nodes = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
    named = [alias.asname for node in nodes for alias in node.names]
    assert named
    assert [name for name in named if not hasattr(module, name)] == []
    assert set(named) <= set(dir(module))
    if module is not brickwork:  # `import *` must not replace the caller's `logging` or `utils`
        assert not [name for name in module.__all__ if inspect.ismodule(getattr(module, name))]
        exported = {alias.asname for node in nodes if node.module for alias in node.names}
        assert set(module.__all__) == exported


@pytest.mark.parametrize("folder", ["cnn", "runner", "utils"])
def test_every_deep_module_has_its_public_names(folder):
    for path in sorted((SOURCE / folder).rglob("*.py")):
        if path.stem.startswith("_") and path.stem != "__init__":
            continue
        module = importlib.import_module(module_of(path))
        nodes = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.ImportFrom)]
        exported = [alias.asname for node in nodes for alias in node.names if alias.asname]
        names = [*getattr(module, "__all__", []), *exported]
        assert names, module.__name__
        assert [name for name in names if not hasattr(module, name)] == []


def test_cnn_only_re_exports_except_the_resnet_of_mmcv():
    for path in {*(SOURCE / "cnn").rglob("*.py")} - {SOURCE / "cnn" / "resnet.py"}:
        kinds = {type(node) for node in ast.parse(path.read_text()).body}
        assert kinds <= {ast.Expr, ast.Import, ast.ImportFrom, ast.Assign}, path


def test_unknown_name_raises_an_attribute_error_with_a_suggestion():
    with pytest.raises(AttributeError, match="no attribute 'ConvModul'") as caught:
        _ = brickwork.cnn.ConvModul
    assert (caught.value.name, caught.value.obj) == ("ConvModul", brickwork.cnn)


def test_versions_lists_every_package():
    found = brickwork.versions()
    assert found["brickwork"] == brickwork.__version__
    parts = {"registry", "init", "layers", "base", "modules", "ops", "zoo", "models"}
    assert set(found) == {"torch", "brickwork", *(f"brickwork-{part}" for part in parts)}


def loaded_by(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has after `code`."""
    script = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    return set(json.loads(run_python("-c", script)))


def test_importing_brickwork_imports_no_other_package():
    assert "torch" not in loaded_by("import brickwork")
    assert not {m for m in loaded_by("import brickwork") if m.startswith("brickwork_")}


def test_importing_one_brick_does_not_import_the_others():
    loaded = loaded_by("from brickwork.cnn import ConvModule")
    assert not loaded & {"brickwork_models", "requests", "brickwork.compat"}


def test_bricks_and_models_import_no_module_of_torch_that_imports_compilers():
    ours = loaded_by("import torch, brickwork_models; from brickwork.cnn import ConvModule, ResNet")
    # On a GPU build torch's FLOP counter imports triton, which costs more than all bricks.
    assert not {"torch.utils.flop_counter", "triton"} & (ours - loaded_by("import torch"))


def test_versions_needs_no_torch():
    assert "torch" not in loaded_by("import brickwork; brickwork.versions()")
