"""Settings of the documentation's build; see https://www.sphinx-doc.org/en/master/config.html."""

import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "brickwork"
author = "the brickwork developers"
project_copyright = author
release = version = importlib.metadata.version("brickwork")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "benchmarks",
    "model_zoo",
    "reference",
]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "examples/README.md"]

autodoc_member_order = "groupwise"
autodoc_typehints = "none"  # the signature shows the names, the Args say what they are
autodoc_default_options = {"show-inheritance": True}
autodoc_inherit_docstrings = False
napoleon_attr_annotations = False  # nor here
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True
nitpicky = True  # a reference that leads nowhere is an error, but for those to other projects
nitpick_ignore_regex = [(r"py:.*", r"(torch|collections|pathlib)\..*"), ("py:obj", ".*")]
default_role = "py:obj"  # `name` in a docstring: code, and a link where there is such a name

html_theme = "furo"
html_title = "brickwork"
html_static_path = ["_static"]
html_css_files = ["brickwork.css"]
copybutton_exclude = ".linenos, .gp, .go"  # a console's prompts and outputs stay behind
