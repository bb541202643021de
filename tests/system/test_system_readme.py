"""READMEs and pages state current packages and measured numbers, and their links are valid."""

import json
import re

import pytest

from tests.support.repository import DISTRIBUTIONS

REPOSITORY = "https://github.com/brickwork-cnn/brickwork"
FACTORS = {"µs": 1e-6, "ms": 1e-3, "s": 1, "MB": 1e6, "GB": 1e9, "us": 1e-6}

# Row of the comparison → the benchmark, and whether its floor is subtracted.
MEASURED = {
    "a ready model from a checkpoint of 1.2 GB in the cache": (
        "ready model, from the cache, 1.2 GB",
        False,
    ),
    "… the peak of its memory": ("ready model, from the cache, 1.2 GB, peak memory", False),
    "… with every weight read once": (
        "ready model and a pass over it, from the cache, 1.2 GB",
        False,
    ),
    "a ready model from a local checkpoint of 1.2 GB": ("ready model, local file, 1.2 GB", False),
    "`load_checkpoint` into a model, 1.2 GB in the cache": (
        "load_checkpoint into a model, from the cache, 1.2 GB",
        False,
    ),
    "`load_checkpoint` into a model, local 1.2 GB": (
        "load_checkpoint into a model, local file, 1.2 GB",
        False,
    ),
    "importing `ConvModule`, beyond torch": ("from brickwork.cnn import ConvModule", True),
    "`init_weights`, 800 blocks side by side": ("init_weights, 800 blocks side by side", False),
    "`init_weights`, 80 nested blocks": ("init_weights, 80 nested blocks", False),
    "building 200 `ConvModule`s": ("building 200 ConvModules, 64 channels", False),
    "`build_from_cfg`, beyond the constructor": ("build_from_cfg, a call", True),
}


def test_table_of_packages_is_complete_and_current(distributions, root):
    rows = dict(
        re.findall(
            r"^\| \[`([a-z-]+)`\]\([a-z/]+\) \|.*?\| (\d+\.\d+\.\d+) \|",
            (root / "README.md").read_text(),
            re.MULTILINE,
        )
    )
    assert rows == {d.name: d.version for d in distributions.values()}


def test_page_of_packages_lists_the_dependencies(distributions, root):
    """It leaves out dependencies of those that it names."""

    def declared(name):
        project = distributions[f"brickwork-{name.removesuffix('[torch]')}"].project
        extra = project["optional-dependencies"]["torch"] if name.endswith("[torch]") else []
        requirements = project["dependencies"] + extra
        names = {re.match(r"[a-z0-9-]+(\[torch\])?", text)[0] for text in requirements}
        return {name.removeprefix("brickwork-") for name in names}

    def everything(names):
        closure, todo = set(), list(names)
        while todo:
            closure.add(name := todo.pop())
            if f"brickwork-{name.removesuffix('[torch]')}" in distributions:
                todo += declared(name) - closure
        return closure - {"urllib3"}  # a dependency of requests

    text = (root / "docs" / "packages.md").read_text()
    rows = re.findall(r"^\| `brickwork-(\S+)` \|.*\| (.*) \|$", text, re.MULTILINE)
    names = {name.removesuffix("[torch]") for name, _ in rows}
    assert {f"brickwork-{name}" for name in names} == set(distributions) - {"brickwork"}
    for name, needs in rows:
        stated = set() if needs == "nothing" else set(re.split(", | and ", needs))
        assert everything(stated) - {"zoo"} == everything(declared(name)) - {"zoo"}, name


def test_comparison_states_the_measured_numbers(root):
    """To three digits; `hatch run readme` updates them after the benchmarks."""
    text = (root / "README.md").read_text()
    table = text.split("<!-- comparison -->")[1].split("<!-- end -->")[0]
    head, _, *lines = (line.strip("| ").split(" | ") for line in table.strip().splitlines())
    data = json.loads((root / "docs" / "_static" / "benchmarks.json").read_text())
    rows = {row["cost"]: row for part in data["parts"].values() for row in part}
    assert head[0] == f"mmcv {data['about']['mmcv']}"
    measured = [label for label, (name, _) in MEASURED.items() if name in rows]
    assert [line[0] for line in lines] == measured
    for label, theirs, ours, ratio in lines:
        name, beyond = MEASURED[label]
        values = rows[name]["values"]
        true = [values[who] - beyond * values["floor"] for who in ("mmcv", "brickwork")]
        for shown, value in zip((theirs, ours), true, strict=True):
            number, unit = shown.split()
            seconds_or_bytes = value * FACTORS[rows[name]["unit"]]
            # two places after the point at least, so a hundredth of the unit may be rounded away
            assert float(number) * FACTORS[unit] == pytest.approx(
                seconds_or_bytes, rel=0.006, abs=0.006 * FACTORS[unit]
            ), label
        assert float(ratio.split()[0]) == pytest.approx(true[0] / true[1], rel=0.006), label


def links(document):
    """Return the targets of the links of a page, code left out."""
    prose = re.sub(
        r"^```.*?^```$|`[^`\n]*`", "", document.read_text(), flags=re.DOTALL | re.MULTILINE
    )
    return re.findall(r"\]\(([^)\s#]+)", prose)


def test_links_into_the_repository_are_valid(root):
    wrong = []
    readmes = [root / "README.md", root / "meta" / "README.md", *root.glob("packages/*/README.md")]
    for document in [*readmes, *root.glob("docs/**/*.md")]:
        if "_build" in document.parts:
            continue
        for target in links(document):
            inside = re.fullmatch(rf"{REPOSITORY}/(?:blob|tree)/main/(.*)", target)
            path = root / inside[1] if inside else document.parent / target
            if (inside or "://" not in target) and not path.exists():
                wrong.append(f"{document.relative_to(root)} → {target}")
    assert not wrong


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_readmes_of_distributions_work_on_a_package_index(distribution):
    """Relative links are dead there."""
    readme = distribution.folder / "README.md"
    targets = links(readme)
    assert not [target for target in targets if "://" not in target]
    assert [target for target in targets if target.startswith(f"{REPOSITORY}/blob/main/docs/")]
    assert re.search(rf"pip install {distribution.name}\s", readme.read_text())


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_metadata_links_to_the_changelog_and_the_source(distribution, root):
    folder = distribution.folder.relative_to(root).as_posix()
    urls = distribution.project["urls"]
    assert urls["Changelog"] == f"{REPOSITORY}/blob/main/{folder}/CHANGELOG.md"
    assert urls["Source"] == f"{REPOSITORY}/tree/main/{folder}"
    assert urls["Documentation"].startswith(REPOSITORY)


def test_pictures_are_small(root):
    for picture in (root / "docs" / "_static").glob("*.[jp][pn]g"):
        assert picture.stat().st_size < 300_000, picture
