"""The page of the model zoo filters and sorts, in a real browser, loaded from disk."""

import html
import re
import shutil
import subprocess
import sys

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BROWSER, reason="no Chromium is installed"),
]
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-quic", "--disable-background-networking", "--disable-component-update"),
    "--virtual-time-budget=5000",
)


@pytest.fixture(scope="module")
def page(root, tmp_path_factory):
    """Build a site with only this page, as the documentation builds it."""
    source = tmp_path_factory.mktemp("docs")
    shutil.copytree(root / "docs" / "_static", source / "_static")
    shutil.copy(root / "docs" / "modelzoo.md", source / "index.md")
    (source / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(root / 'docs' / '_ext')!r})\n"
        "extensions = ['myst_parser', 'model_zoo']\nhtml_static_path = ['_static']\n"
    )
    command = [sys.executable, "-m", "sphinx", "-W", "-q", source, source / "html"]
    subprocess.run(command, check=True)
    return source / "html" / "index.html"


@pytest.fixture
def dom(page, tmp_path):
    """Run a script in the page, after its own, and return the count and the visible rows."""

    def run(script: str = "", fragment: str = "") -> tuple[str, list[list[str]]]:
        copy = page.with_name(f"{tmp_path.name}.html")
        action = f"<script>addEventListener('load', () => {{ {script} }})</script></body>"
        copy.write_text(page.read_text().replace("</body>", action))
        done = subprocess.run(
            [
                BROWSER,
                *QUIET,
                f"--user-data-dir={tmp_path}",
                "--dump-dom",
                copy.as_uri() + fragment,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        body = re.search(r"<tbody>(.*)</tbody>", done.stdout, re.DOTALL)[1]
        shown = [
            [html.unescape(re.sub("<.*?>", "", cell)) for cell in re.findall("<td.*?</td>", row)]
            for row in re.findall(r"<tr>(.*?)</tr>", body)  # hidden ones have an attribute
        ]
        return re.search(r"<output.*?>(.*?)</output>", done.stdout)[1], shown

    return run


def test_page_lists_all_models_initially(dom):
    from brickwork_zoo import list_models  # only where a browser is installed

    count, rows = dom()
    assert [row[0] for row in rows] == [model.uri for model in list_models()]
    assert count == f"{len(rows)} of {len(rows)}"


# As a user types: into the focused box, through the browser's own editing.
TYPE = (
    "document.querySelector('.zoo input').focus(); document.execCommand('insertText', false, {!r});"
)
CLICK = "document.querySelectorAll('.zoo th button')[{}].click();"


def test_words_filter_the_rows(dom):
    count, rows = dom(TYPE.format("torchvision RESNET50"))
    assert rows
    assert all("torchvision" in row[0] and "resnet50" in row[0] for row in rows)
    assert count.startswith(f"{len(rows)} of ")


def test_rows_are_filtered_at_every_key(dom):
    narrow = len(dom(TYPE.format("resnet") + TYPE.format("50"))[1])
    wide = len(dom(TYPE.format("resnet50") + "document.execCommand('delete');" * 2)[1])
    assert 0 < narrow < wide < len(dom()[1])


def test_words_without_a_match_leave_no_row(dom):
    count, rows = dom(TYPE.format("resnet no-such-word"))
    assert not rows
    assert count.startswith("0 of ")


def test_url_fragment_filters_the_rows(dom):
    rows = dom(fragment="#vgg")[1]
    assert rows
    assert all("vgg" in " ".join(row).lower() for row in rows)


@pytest.mark.parametrize(("clicks", "descending"), [(1, True), (2, False)])
def test_clicking_a_heading_sorts_the_rows(dom, clicks, descending):
    _, rows = dom(CLICK.format(2) * clicks)
    shown = [row[2] for row in rows]
    numbers = [float(cell.removesuffix(" M")) for cell in shown if cell.endswith("M")]
    assert len(set(numbers)) > 100
    assert numbers == sorted(numbers, reverse=descending)
    assert all(cell.endswith("M") for cell in shown[: len(numbers)])  # the unknown stay last


def test_names_sort_alphabetically_with_numbers_by_value(dom):
    _, rows = dom(TYPE.format("mmcls://resnet") + CLICK.format(1) + CLICK.format(0))
    depths = [
        int(match[1]) for row in rows if (match := re.fullmatch(r"mmcls://resnet(\d+)", row[0]))
    ]
    assert depths == [18, 34, 50, 101, 152]


def test_sorting_keeps_the_filter(dom):
    _, rows = dom(TYPE.format("torchvision regnet") + CLICK.format(2))
    assert rows
    assert all("torchvision" in row[0] and "regnet" in row[0] for row in rows)
    sizes = [float(row[2].removesuffix(" M")) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
