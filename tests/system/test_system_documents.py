"""Every example of the READMEs and the documentation runs.

The blocks of a file run in order in one namespace, in a temporary folder, with warnings as errors:
those marked `python` as programs, those marked `pycon` as sessions whose output is compared. Each
file runs in a process of its own, because examples register types and set seeds.
"""

import os
import re
import shutil

import pytest

from tests.support.python import python_result
from tests.support.repository import ROOT

DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "meta" / "README.md",
        *ROOT.glob("packages/*/README.md"),
        *(p for p in ROOT.glob("docs/**/*.md") if "_build" not in p.parts),
    ]
)

# torch.compile needs a C++ compiler; without one its example runs uncompiled
COMPILER = any(map(shutil.which, (os.environ.get("CXX", ""), "g++", "c++", "clang++")))
UNCOMPILED = {} if COMPILER else {"TORCHDYNAMO_DISABLE": "1"}

RUNNER = r"""
import doctest, pathlib, re, socket, sys, types, warnings

# torch.compile and torch.onnx call what torch itself has deprecated
for message in r"`torch\.jit\.", r"`isinstance\(treespec, LeafSpec\)`":
    warnings.filterwarnings("ignore", message)

document = sys.argv[1]
connect = socket.socket.connect

def loopback_only(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"examples run without a network, but this one connected to {address}")
    return connect(self, address)

socket.socket.connect = loopback_only
text = pathlib.Path(document).read_text(encoding="utf-8")
main = sys.modules["__main__"] = types.ModuleType("__main__")
for match in re.finditer(r"^( *)```(python|pycon)\n(.*?)^\1```$", text, re.M | re.S):
    indent, kind, code = match.groups()
    code = re.sub(f"(?m)^{indent}", "", code)
    line = text.count("\n", 0, match.start()) + 1
    if kind == "python":
        # the code keeps its place in the document, so that a traceback names the right line
        exec(compile("\n" * line + code, document, "exec"), vars(main))
    else:
        test = doctest.DocTestParser().get_doctest(code, {}, document, document, line)
        test.globs = vars(main)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        if runner.run(test, clear_globs=False).failed:
            sys.exit(1)
"""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_run(document, tmp_path):
    text = document.read_text()
    if "```python\n" not in text and "```pycon\n" not in text:
        return
    runner = tmp_path.with_name(tmp_path.name + "_runner.py")
    runner.write_text(RUNNER)
    result = python_result("-W", "error", runner, document, cwd=tmp_path, **UNCOMPILED)
    assert result.returncode == 0, result.stdout + result.stderr


# What the examples of mmcv's guide use; the tutorials use them as well.
NAMES_IN_MMCV_GUIDE = """
    build_conv_layer build_norm_layer build_activation_layer build_upsample_layer
    build_padding_layer UPSAMPLE_LAYERS register_module ConvModule norm_cfg act_cfg order
    constant_init xavier_init normal_init trunc_normal_init uniform_init kaiming_init
    caffe2_xavier_init bias_init_with_prob initialize layer override Pretrained prefix init_cfg
    BaseModule Sequential ModuleList ModuleDict init_weights load_checkpoint open_mmlab
"""


def test_tutorials_cover_the_guide_of_mmcv():
    text = "".join(p.read_text() for p in sorted((ROOT / "docs" / "tutorials").glob("*.md")))
    code = "".join(re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    assert not set(NAMES_IN_MMCV_GUIDE.split()) - set(re.findall(r"\w+", code))
