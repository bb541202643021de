"""Releases: tag, version and changelog must agree; workflows run the documented commands."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from check_release import check

from tests.support.repository import DISTRIBUTIONS


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_distribution_can_be_released_unless_its_changelog_has_unreleased_changes(distribution):
    tag = f"{distribution.name}-v{distribution.version}"
    if "## Unreleased" in (distribution.folder / "CHANGELOG.md").read_text():
        with pytest.raises(ValueError, match="begins with 'Unreleased'"):
            check(tag)
    else:
        assert check(tag) == distribution.folder


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("v0.1.0", "must look like brickwork-zoo-v0.2.0"),
        ("brickwork-zoo-0.1.0", "must look like"),
        ("brickwork-nothing-v0.1.0", "must name a distribution"),
        ("brickwork-zoo-v9.9.9", "has version 9.9.9, but the package has"),
    ],
)
def test_tag_that_disagrees_with_the_package_is_refused(tag, message):
    with pytest.raises(ValueError, match=message):
        check(tag)


@pytest.mark.parametrize(
    ("changelog", "message"),
    [
        ("# Changelog\n\n## Unreleased\n\nNews.\n", "begins with 'Unreleased'"),
        ("# Changelog\n\n## {version}\n\n## 0.0.1\n\nOld.\n", "is empty"),
    ],
)
def test_changelog_that_disagrees_is_refused(distributions, root, tmp_path, changelog, message):
    zoo = distributions["brickwork-zoo"]
    shutil.copytree(zoo.folder, tmp_path / zoo.folder.relative_to(root))
    path = tmp_path / zoo.folder.relative_to(root) / "CHANGELOG.md"
    path.write_text(changelog.format(version=zoo.version))
    with pytest.raises(ValueError, match=message):
        check(f"{zoo.name}-v{zoo.version}", root=_with_meta(root, tmp_path))


def _with_meta(root, copy):
    shutil.copytree(root / "meta", copy / "meta")
    return copy


@pytest.fixture
def release(root, uv, tmp_path):
    """Run all steps of a release except publishing, into a temporary folder."""

    def run(tag: str, checkout: Path = root) -> tuple[int, str, set[str]]:
        dist = tmp_path / "dist"
        done = subprocess.run(
            [checkout / ".ci" / "release", tag, dist],
            env={**os.environ, "HATCH_UV": uv},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout, {file.name for file in dist.glob("brickwork*")}

    return run


@pytest.mark.slow
def test_release_builds_installs_alone_and_runs_the_tests(release, distributions, root, tmp_path):
    """Shown with the package without dependencies; the tests run in an environment of their own."""
    version = distributions["brickwork-registry"].version
    checkout = tmp_path / "checkout"
    shutil.copytree(root, checkout, ignore=shutil.ignore_patterns(".git", "_build", "__pycache__"))
    changelog = checkout / "packages" / "registry" / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## Unreleased", f"## {version}"))
    code, output, files = release(f"brickwork-registry-v{version}", checkout)
    assert code == 0, output
    assert re.search(r"=== \d+ passed in ", output), output
    stem = f"brickwork_registry-{version}"
    assert files == {f"{stem}.tar.gz", f"{stem}-py3-none-any.whl"}


def test_release_with_a_wrong_tag_builds_nothing(release):
    code, output, files = release("brickwork-registry-v9.9.9")
    assert code == 1
    assert "has version 9.9.9, but the package has" in output
    assert not files


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_each_package_declares_what_its_tests_need(distribution):
    groups = tomllib.loads((distribution.folder / "pyproject.toml").read_text())
    assert any(need.startswith("pytest") for need in groups["dependency-groups"]["test"])


@pytest.fixture
def workflows(root):
    files = root.glob(".github/workflows/*.yml")
    loaded = {file.stem: yaml.safe_load(file.read_text()) for file in files}
    assert set(loaded) == {"ci", "docs", "release"}
    return loaded


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_workflows_run_the_documented_commands(workflows):
    called = {name: [step.get("run", "") for step in steps(w)] for name, w in workflows.items()}
    assert ".ci/run" in called["ci"]
    assert "hatch run docs" in called["docs"]
    assert '.ci/release "$GITHUB_REF_NAME"' in called["release"]
    # YAML reads the key `on` as true
    assert workflows["release"][True] == {"push": {"tags": ["brickwork*-v*"]}}


def test_workflow_tests_every_claimed_python_and_the_minimum_torch(workflows, distributions):
    rows = workflows["ci"]["jobs"]["test"]["strategy"]["matrix"]["include"]
    project = distributions["brickwork-init"].project
    (floor,) = (r.partition(">=")[2] for r in project["dependencies"] if r.startswith("torch"))
    claimed = {c.rpartition(" ")[2] for c in project["classifiers"] if ":: 3." in c}
    assert {row["python"] for row in rows} == claimed == {"3.11", "3.12", "3.13"}
    assert f"{floor}.0" in {row["torch"] for row in rows}


def test_workflows_have_minimal_permissions(workflows):
    """Only the jobs that deploy or publish may write."""
    granted = {
        (name, title): job.get("permissions", workflow["permissions"])
        for name, workflow in workflows.items()
        for title, job in workflow["jobs"].items()
    }
    assert granted == {
        ("ci", "all"): {"contents": "read"},
        ("ci", "test"): {"contents": "read"},
        ("docs", "build"): {"contents": "read"},
        ("docs", "deploy"): {"pages": "write", "id-token": "write"},
        ("release", "build"): {"contents": "read"},
        ("release", "publish"): {"id-token": "write"},
    }
    for workflow in workflows.values():
        for step in steps(workflow):
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
