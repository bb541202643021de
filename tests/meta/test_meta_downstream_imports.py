"""The covered imports of downstream packages work without mmcv and mmengine.

`downstream/imports.json` holds, for each generation, the covered import statements of mmcls, mmdet,
mmsegmentation, mmpose, mmaction2 and mmpretrain, and how often they occur there.
"""

import json
from pathlib import Path

import pytest

from tests.support.python import python_result

IMPORTS = json.loads((Path(__file__).parent / "downstream" / "imports.json").read_text())


@pytest.mark.parametrize("generation", IMPORTS)
def test_every_covered_import_works(generation):
    lines = ["from brickwork.compat import install", f"install({generation!r})"]
    code = "\n".join([*lines, *IMPORTS[generation]])
    result = python_result("-c", code)
    assert result.returncode == 0, result.stderr
