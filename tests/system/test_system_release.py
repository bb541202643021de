"""A release is refused unless tag, version and changelog agree."""

import runpy
import shutil

import pytest
import yaml


@pytest.fixture
def check(root):
    return runpy.run_path(str(root / ".ci" / "check_release.py"))["check"]


def test_every_distribution_can_be_released_as_it_is(check, distribution):
    assert check(f"{distribution.name}-v{distribution.version}") == distribution.folder


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("v0.1.0", "looks like brickwork-zoo-v0.2.0"),
        ("brickwork-zoo-0.1.0", "looks like"),
        ("brickwork-nothing-v0.1.0", "no distribution"),
        ("brickwork-zoo-v9.9.9", "says 9.9.9, the package says"),
    ],
)
def test_a_tag_that_disagrees_is_refused(check, tag, message):
    with pytest.raises(ValueError, match=message):
        check(tag)


@pytest.mark.parametrize(
    ("changelog", "message"),
    [
        ("# Changelog\n\n## Unreleased\n\nNews.\n", "begins with 'Unreleased'"),
        ("# Changelog\n\n## {version}\n\n## 0.0.1\n\nOld.\n", "says nothing"),
    ],
)
def test_a_changelog_that_disagrees_is_refused(
    check, distributions, root, tmp_path, changelog, message
):
    zoo = distributions["brickwork-zoo"]
    shutil.copytree(zoo.folder, tmp_path / zoo.folder.relative_to(root))
    path = tmp_path / zoo.folder.relative_to(root) / "CHANGELOG.md"
    path.write_text(changelog.format(version=zoo.version))
    with pytest.raises(ValueError, match=message):
        check(f"{zoo.name}-v{zoo.version}", root=_with_meta(root, tmp_path))


def _with_meta(root, copy):
    shutil.copytree(root / "meta", copy / "meta")
    return copy


def test_workflows_call_the_same_commands(root):
    workflows = {
        p.stem: yaml.safe_load(p.read_text()) for p in root.glob(".github/workflows/*.yml")
    }
    assert set(workflows) == {"ci", "docs", "release"}
    steps = [
        step.get("run", "") for job in workflows["ci"]["jobs"].values() for step in job["steps"]
    ]
    assert any(".ci/run" in step for step in steps)
    tags = workflows["release"][True]["push"]["tags"]  # YAML reads the key `on` as true
    assert tags == ["brickwork*-v*"]
