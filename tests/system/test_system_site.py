"""The site builds without a warning, its links lead somewhere, every public name is described."""

import importlib
import re
import subprocess
import sys
from urllib.parse import unquote

import pytest
from sphinx.util.inventory import InventoryFile

from tests.support.repository import DISTRIBUTIONS


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    """The whole site, as `hatch run docs` builds it: warnings are errors, dead references too."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", root / "docs", folder],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def described(site):
    """Every name that the reference describes."""
    with (site / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, uri: uri)
    return {name for kind in inventory if kind.startswith("py:") for name in inventory[kind]}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_the_reference_describes_every_public_name(described, distribution):
    if distribution.name == "brickwork":
        pytest.skip("it only re-exports; its page describes the rest by modules")
    package = importlib.import_module(distribution.import_name)
    assert package.__all__
    missing = {
        f"{distribution.import_name}.{name}"
        for name in package.__all__
        if not name.startswith("_") and name != "errors"
    } - described
    assert not missing


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_the_reference_describes_every_error(described, distribution):
    try:
        errors = importlib.import_module(f"{distribution.import_name}.errors")
    except ImportError:
        pytest.skip("it has none of its own")
    own = {
        f"{errors.__name__}.{name}"
        for name, found in vars(errors).items()
        if isinstance(found, type)
        and issubclass(found, Exception)
        and found.__module__ == errors.__name__
    }
    # an error that the package exports is described there
    elsewhere = {name for name in own if name.replace(".errors.", ".") in described}
    assert own - elsewhere <= described


def test_every_link_inside_the_site_leads_somewhere(site):
    pages = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    anchors = {page: set(re.findall(r'\bid="([^"]+)"', text)) for page, text in pages.items()}
    dead = []
    for page, text in pages.items():
        for link in re.findall(r'\bhref="([^"]*)"', text):
            path, _, anchor = unquote(link.split("?")[0]).partition("#")
            if re.match(r"[a-z]+:", link):
                continue
            target = (page.parent / path).resolve() if path else page
            if "_modules" in page.parts:
                anchor = ""  # the way back from a source is Sphinx's, to the page if not the line
            if not target.exists() or (anchor and anchor not in anchors.get(target, {anchor})):
                dead.append(f"{page.relative_to(site)} → {link}")
    assert len(pages) > 25
    assert not dead


def test_the_site_needs_no_other_host(site):
    """It works from disk: what a page loads, it brings along."""
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|img|link)\b[^>]*\b(?:src|href)="([^"]*)"', page.read_text()
        )
        assert not [one for one in loaded if re.match(r"(https?:)?//", one)], page


def test_the_landing_page_says_what_it_is_and_how_to_begin(site):
    text = (site / "index.html").read_text()
    words = re.sub(r"<[^>]*>", "", text)
    for what in ("pip install brickwork", "mmcv.cnn", "init_weights()", "hatch run demo"):
        assert what in words
    assert "photographs.jpg" in text
