"""File names, hashes in them, and URLs, for any text."""

from __future__ import annotations

import hashlib
import os
import string
from pathlib import Path
from urllib.parse import quote

import pytest
from brickwork_zoo._find._file_hash import hash_in_name, parse_hash
from brickwork_zoo._find._filename import safe_filename
from brickwork_zoo._find._url import last_component, normalize_case
from brickwork_zoo._redact import redact_credentials
from brickwork_zoo.errors import InvalidInputError
from hypothesis import assume, example, given
from hypothesis import strategies as st

HEX = st.text("0123456789abcdef", min_size=8, max_size=64)
STEM = st.text(string.ascii_letters + string.digits + "_.", min_size=1, max_size=20)
EXTENSION = st.sampled_from(["", ".pth", ".safetensors", ".pth.tar", ".pt"])


@given(STEM, HEX, EXTENSION)
@example("net", "5793a424", ".pth")
def test_hash_suffix_of_file_name_is_returned(stem, digits, extension):
    assume(not digits.isdecimal())
    assert hash_in_name(f"{stem}-{digits}{extension}") == digits
    assert hash_in_name(f"{stem}-{digits.upper()}{extension}") == digits


@given(STEM, st.text("0123456789abcdef", max_size=7), EXTENSION)
def test_suffix_of_fewer_than_eight_digits_is_not_a_hash(stem, digits, extension):
    assert hash_in_name(f"{stem}-{digits}{extension}") is None


@pytest.mark.parametrize(
    "name",
    [
        "model.pth",
        "5793a424.pth",
        "model-20210831.pth",
        "model-31122023.pth",
        "model-00100000.pth",
        "net-57934424.pth",
        "model_5793a424.pth",
        "model-5793a424-final.pth",
        "pytorch_model-00001-of-00002.bin",
        "550e8400-e29b-41d4-a716-446655440000",
        "550e8400-e29b-41d4-a716-446655440000.pth",
        "model-" + "0" * 65 + ".pth",
        "model-5793442g.pth",
        "model-5793a424.pth\n",
        "model-5793a424 (1).pth",
        "model-5793a424.",
        "-5793442.pth",
        "model-５７９３４４２４.pth",  # noqa: RUF001  digits all the same
    ],
)
def test_similar_suffix_is_not_a_hash(name):
    assert hash_in_name(name) is None


@given(st.binary())
def test_parse_hash_accepts_any_valid_hash(data):
    digest = hashlib.sha256(data).hexdigest()
    for text in (digest, digest[:8], digest.upper(), f" sha256:{digest}\n"):
        assert digest.startswith(parse_hash(text))


@given(st.text())
def test_parse_hash_refuses_other_text(text):
    digits = text.strip().removeprefix("sha256:")
    assume(not (8 <= len(digits) <= 64 and set(digits) <= set(string.hexdigits)))
    with pytest.raises(InvalidInputError):
        parse_hash(text)


@given(st.text(max_size=60))
@example("HTTPS://Me:Pw@Host.ORG:80/Path?Q#F")
@example("S3://Bucket/Key")
@example("C:\\\\x")
def test_normalize_case_changes_only_case_and_is_idempotent(text):
    normalized = normalize_case(text)
    assert normalize_case(normalized) == normalized
    assert normalized.lower() == text.lower()
    assert normalized.rpartition("/")[2] == text.rpartition("/")[2] or text.count("/") < 3
    if "://" not in text:
        assert normalized == text


@given(st.text(string.ascii_letters + string.digits, min_size=1), STEM)
def test_password_in_url_is_redacted(password, name):
    assume(password not in f"http://me:***@host/{name}")
    assert password not in redact_credentials(f"http://me:{password}@host/{name}")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hf_token@host/net.pth", "https://***@host/net.pth"),
        ("https://me:pass word@host/net.pth", "https://me:***@host/net.pth"),
        ("https://host/n.pth?token=abc&x=1", "https://host/n.pth?token=***&x=1"),
        ("s3://b/n.pth?X-Amz-Signature=abc", "s3://b/n.pth?X-Amz-Signature=***"),
        ("https://host/n.pth?a=1&api_key=abc#f", "https://host/n.pth?a=1&api_key=***#f"),
        ("http://me:pw@a/x and http://me:pw@b/y", "http://me:***@a/x and http://me:***@b/y"),
        ("ssh://me@host/net.pth", "ssh://me@host/net.pth"),
        ("https://host/net.pth?monkey=1", "https://host/net.pth?monkey=1"),
    ],
)
def test_credentials_in_text_are_redacted(url, shown):
    assert redact_credentials(url) == shown
    assert str(InvalidInputError(f"cannot read {url}", uri=url)) == f"cannot read {shown}"
    assert InvalidInputError("", uri=url).uri == shown


ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


@given(ANY_TEXT)
@example("..")
@example("con")
@example("a" * 400 + "-57934424.pth")
@example("\udcff")
@example("x" * 59 + "é" * 200)
def test_safe_filename_of_any_text_is_valid(text):
    name = safe_filename(text)
    assert 1 <= len(name.encode()) <= 150
    assert not name.startswith(".")
    assert not name.endswith(".")
    assert name == os.path.basename(name)  # noqa: PTH119  the plain function is the oracle
    assert not set(name) & set('\x00\n<>:"/\\|?*')
    assert name.lower() not in ("con", "nul", "aux")
    assert safe_filename(name) == name


@given(STEM, HEX, st.integers(0, 500))
def test_long_name_keeps_hash_and_extension(stem, digits, length):
    assume(not digits.isdecimal())
    assume(not (len(digits) == 8 and digits[:2] in ("19", "20")))
    name = safe_filename("x" * length + stem + f"-{digits}.pth")
    assert hash_in_name(name) == digits
    assert name.endswith(".pth")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_last_component_is_percent_decoded(name):
    assume(name.strip(". "))
    url = "https://host/models/" + quote(name, safe="")
    assert last_component(url) == name
    assert last_component(url + "?query=a/b#c/d") == name


@pytest.mark.parametrize(
    ("url", "last"),
    [
        ("http://h/a/..", "a"),
        ("http://h/a/", "a"),
        ("http://h", ""),
        ("http://h/a%2Fb.pth", "a/b.pth"),
        ("http://h/%FF.pth", "\ufffd.pth"),
    ],
)
def test_last_component_skips_empty_and_dot_parts(url, last):
    assert last_component(url) == last
    assert Path(safe_filename(last)).parent == Path()
