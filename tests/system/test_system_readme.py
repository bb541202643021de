"""The tables of the READMEs and the documentation say what the packages are."""

import re


def test_the_table_of_packages_is_complete_and_current(distributions, root):
    rows = dict(
        re.findall(
            r"^\| \[`([a-z-]+)`\]\([a-z/]+\) \|.*?\| (\d+\.\d+\.\d+) \|",
            (root / "README.md").read_text(),
            re.MULTILINE,
        )
    )
    assert rows == {d.name: d.version for d in distributions.values()}


def test_every_link_into_the_repository_leads_somewhere(root):
    wrong = []
    for document in [root / "README.md", *root.glob("docs/**/*.md")]:
        if "_build" in document.parts:
            continue
        targets = re.findall(r"\]\(([^)#\s]+)", document.read_text())
        wrong += [
            f"{document.relative_to(root)} → {target}"
            for target in targets
            if "://" not in target and not (document.parent / target).exists()
        ]
    assert not wrong


def test_pictures_stay_small(root):
    for picture in (root / "docs" / "_static").glob("*.[jp][pn]g"):
        assert picture.stat().st_size < 300_000, picture
