"""Check that a tag, the version of its package and its changelog agree.

    python .ci/check_release.py brickwork-zoo-v0.2.0

Prints the folder of the package. Fails if the tag is not of the form
`<distribution>-v<version>`, its version is not the package's, or the changelog does not begin with
a section on it.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
TAG = re.compile(r"(?P<name>brickwork(?:-[a-z]+)?)-v(?P<version>\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)")


def check(tag: str, root: Path = ROOT) -> Path:
    """Return the folder of the package that `tag` releases; raise ValueError if they disagree."""
    match = TAG.fullmatch(tag)
    if not match:
        raise ValueError(f"tag must look like brickwork-zoo-v0.2.0, got {tag!r}")
    name, version = match["name"], match["version"]
    for project in [*root.glob("packages/*/pyproject.toml"), root / "meta" / "pyproject.toml"]:
        settings = tomllib.loads(project.read_text())
        if settings["project"]["name"] == name:
            break
    else:
        raise ValueError(f"tag must name a distribution of this repository, got {tag!r}")
    folder = project.parent
    source = (folder / settings["tool"]["hatch"]["version"]["path"]).read_text()
    match = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    if not match or match[1] != version:
        raise ValueError(f"tag has version {version}, but the package has {match and match[1]}")
    sections = re.split(r"^## ", (folder / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1:]
    heading, _, body = sections[0].partition("\n")
    if heading.split()[0] != version:
        raise ValueError(f"tag has version {version}, but the changelog begins with {heading!r}")
    if not body.strip():
        raise ValueError(f"the changelog's section on {name} {version} is empty")
    return folder


if __name__ == "__main__":
    try:
        print(check(*sys.argv[1:2]).relative_to(ROOT))
    except (ValueError, TypeError) as error:
        sys.exit(str(error))
