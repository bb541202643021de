"""Check that a tag, the version of its package and its changelog agree.

    python .ci/check_release.py brickwork-zoo-v0.2.0

Prints the folder of the package, for the release's next steps, and refuses a tag that is not of the
form `<distribution>-v<version>`, whose version is not the package's, or whose changelog begins with
another version or says nothing about this one.
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
        raise ValueError(f"{tag!r} is no release tag; one looks like brickwork-zoo-v0.2.0")
    name, version = match["name"], match["version"]
    for project in [*root.glob("packages/*/pyproject.toml"), root / "meta" / "pyproject.toml"]:
        settings = tomllib.loads(project.read_text())
        if settings["project"]["name"] == name:
            break
    else:
        raise ValueError(f"{tag!r} names {name}, which is no distribution of this repository")
    folder = project.parent
    source = (folder / settings["tool"]["hatch"]["version"]["path"]).read_text()
    found = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    if not found or found[1] != version:
        raise ValueError(f"{tag!r} says {version}, the package says {found and found[1]}")
    sections = re.split(r"^## ", (folder / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1:]
    heading, _, body = sections[0].partition("\n")
    if heading.split()[0] != version:
        raise ValueError(f"{tag!r} says {version}, the changelog begins with {heading!r}")
    if not body.strip():
        raise ValueError(f"the changelog says nothing about {name} {version}")
    return folder


if __name__ == "__main__":
    try:
        print(check(*sys.argv[1:2]).relative_to(ROOT))
    except (ValueError, TypeError) as error:
        sys.exit(str(error))
