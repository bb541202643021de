"""`python -m brickwork.compat.<package>` and `BRICKWORK_COMPAT`, here and in child processes."""

import pytest

from tests.support.python import python_result, run_python

VERSION = "import mmcv; print(mmcv.__version__)"

SCRIPT = """
import multiprocessing, subprocess, sys, helper
from mmcv.cnn import ConvModule

class Net(ConvModule):
    pass

def child(results):
    import mmcv
    results.put((mmcv.__version__, ConvModule.__module__, type(Net(3, 4, 1)).__name__))

if __name__ == "__main__":
    import pickle
    pickle.loads(pickle.dumps(Net(3, 4, 1)))
    print(sys.argv[1:], helper.to_2tuple(3), flush=True)
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    process = context.Process(target=child, args=(results,))
    process.start()
    print(*results.get(), flush=True)
    process.join()
    code = "import mmcv; print(mmcv.__version__)"
    subprocess.run([sys.executable, "-c", code], check=True)
    sys.exit(3 if "--fail" in sys.argv else 0)
"""
PRINTED = [
    "['--lr', '1'] (3, 3)",
    "1.7.0 brickwork_modules._conv_module Net",
    "1.7.0",
]


@pytest.fixture
def script(tmp_path):
    (tmp_path / "helper.py").write_text("from mmcv.utils import to_2tuple\n")
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return path


def test_a_script_runs_as_it_is(script):
    printed = run_python("-m", "brickwork.compat.mmcv", script, "--lr", "1")
    assert printed.splitlines() == PRINTED


def test_a_module_runs_as_it_is(script):
    printed = run_python(
        "-m", "brickwork.compat.mmcv", "-m", "train", "--lr", "1", PYTHONPATH=str(script.parent)
    )
    assert printed.splitlines() == PRINTED


def test_code_runs_as_it_is():
    code = f"{VERSION}; import sys; print(sys.argv, sys.flags.optimize)"
    printed = run_python("-O", "-m", "brickwork.compat.mmcv", "-c", code, "a")
    assert printed.splitlines() == ["1.7.0", "['-c', 'a'] 1"]
    assert run_python("-m", "brickwork.compat.mmengine", "-c", VERSION) == "2.1.0"


def test_a_failure_is_passed_on(script):
    result = python_result("-m", "brickwork.compat.mmcv", script, "--fail")
    assert result.returncode == 3


def test_the_command_line_asks_for_a_program():
    result = python_result("-m", "brickwork.compat.mmcv")
    assert result.returncode != 0
    assert "usage: python -m brickwork.compat.mmcv" in result.stderr


@pytest.fixture
def site():
    return run_python("-m", "brickwork.compat")


def test_the_variable_takes_effect(site):
    assert run_python("-c", VERSION, BRICKWORK_COMPAT="mmcv", PYTHONPATH=site) == "1.7.0"
    assert run_python("-c", f"import brickwork; {VERSION}", BRICKWORK_COMPAT="mmcv") == "1.7.0"


def test_the_variable_costs_nothing_before_the_first_import(site):
    code = "import sys; print(any('brickwork.' in module for module in sys.modules))"
    assert run_python("-c", code, BRICKWORK_COMPAT="mmcv", PYTHONPATH=site) == "False"


def test_the_variable_does_not_undo_an_uninstall(site):
    code = (
        "import brickwork.compat.mmcv, importlib.util; brickwork.compat.mmcv.uninstall();"
        "print(importlib.util.find_spec('mmcv'))"
    )
    assert run_python("-c", code, BRICKWORK_COMPAT="mmcv", PYTHONPATH=site) == "None"


def test_a_wrong_variable_is_told_at_the_import(site):
    code = "try:\n    import mmcv\nexcept ValueError as error:\n    print(error)"
    printed = run_python("-c", code, BRICKWORK_COMPAT="mmvc", PYTHONPATH=site)
    assert "take one of mmcv, mmengine, got 'mmvc'" in printed


def test_another_sitecustomize_still_runs(site, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('mine')\n")
    path = f"{site}:{tmp_path}"
    assert run_python("-c", "pass", PYTHONPATH=path) == "mine"
