"""The site builds without a warning, its links are valid, every public name is documented."""

import importlib
import re
from urllib.parse import unquote

import pytest
from sphinx.util.inventory import InventoryFile

from tests.support.python import run_python
from tests.support.repository import DISTRIBUTIONS


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    """Build the site as `hatch run docs` does: warnings and dead references are errors."""
    folder = tmp_path_factory.mktemp("site")
    run_python("-m", "sphinx", "-W", "--keep-going", "-q", root / "docs", folder)
    return folder


@pytest.fixture(scope="module")
def documented(site):
    """Return the names that the reference documents."""
    with (site / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", lambda base, uri: uri)
    return {name for kind in inventory if kind.startswith("py:") for name in inventory[kind]}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_reference_documents_every_public_name(documented, distribution):
    if distribution.name == "brickwork":
        pytest.skip("it re-exports; its page documents its own modules")
    package = importlib.import_module(distribution.import_name)
    assert package.__all__
    missing = {
        f"{distribution.import_name}.{name}"
        for name in package.__all__
        if not name.startswith("_") and name != "errors"
    } - documented
    assert not missing


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_reference_documents_every_error(documented, distribution):
    try:
        errors = importlib.import_module(f"{distribution.import_name}.errors")
    except ImportError:
        pytest.skip("it has no errors of its own")
    own = {
        f"{errors.__name__}.{name}"
        for name, found in vars(errors).items()
        if isinstance(found, type)
        and issubclass(found, Exception)
        and found.__module__ == errors.__name__
    }
    # an error that the package exports is documented there
    elsewhere = {name for name in own if name.replace(".errors.", ".") in documented}
    assert own - elsewhere <= documented


def test_links_inside_the_site_are_valid(site):
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
                anchor = ""  # Sphinx's own links back from a source may miss the anchor
            if not target.exists() or (anchor and anchor not in anchors.get(target, {anchor})):
                dead.append(f"{page.relative_to(site)} → {link}")
    assert len(pages) > 25
    assert not dead


def test_site_loads_nothing_from_other_hosts(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|img|link)\b[^>]*\b(?:src|href)="([^"]*)"', page.read_text()
        )
        assert not [url for url in loaded if re.match(r"(https?:)?//", url)], page


def test_landing_page_names_its_main_commands(site):
    text = (site / "index.html").read_text()
    words = re.sub(r"<[^>]*>", "", text)
    for phrase in ("pip install brickwork", "mmcv.cnn", "init_weights()", "hatch run demo"):
        assert phrase in words
    assert "photographs.jpg" in text
