"""Resumed downloads, which never mix two versions of a file."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest
from brickwork_zoo import download
from brickwork_zoo.errors import DownloadError, HashMismatchError

OLD, NEW = os.urandom(200_000), os.urandom(200_000)
SHA = hashlib.sha256(NEW).hexdigest()
PATH = "/net.pth"


def leftovers() -> list[Path]:
    home = Path(os.environ["BRICKWORK_HOME"])
    return sorted(p for p in home.rglob(".*") if ".part" in p.name)


def begin(site, faults, content=NEW, count=80_000, **options) -> str:
    """Make a download fail after some bytes, clear the recorded requests, return the URL."""
    url = site.url(PATH, content)
    site.faults[PATH] = [faults.cut(count)]
    with pytest.raises(DownloadError) as caught:
        download(url, retries=0, **options)
    assert url in str(caught.value)
    site.requests.clear()
    return url


def asked(site) -> list[tuple[str | None, str | None]]:
    return [(headers.get("Range"), headers.get("If-Range")) for _, headers in site.requests]


def test_next_call_resumes_partial_file_and_removes_it(site, faults):
    url = begin(site, faults)
    assert len(leftovers()) == 2
    assert download(url).read_bytes() == NEW
    assert asked(site) == [("bytes=80000-", f'"{hashlib.md5(NEW).hexdigest()}"')]
    assert leftovers() == []


def test_changed_file_restarts_from_zero(site, faults):
    url = begin(site, faults, OLD)
    site.url(PATH, NEW)
    assert download(url).read_bytes() == NEW
    assert len(site.requests) == 1
    assert leftovers() == []


def test_server_that_ignores_if_range_restarts_from_zero(site, faults):
    url = begin(site, faults, OLD)

    def careless(handler, content):
        handler.headers.replace_header("If-Range", f'"{hashlib.md5(content).hexdigest()}"')
        handler.send_file(content)

    site.url(PATH, NEW)
    site.faults[PATH] = [careless]
    assert download(url).read_bytes() == NEW
    assert asked(site)[1] == (None, None)


@pytest.mark.parametrize("tag", [None, 'W/"weak"'])
def test_download_without_validator_and_hash_restarts_from_zero(site, faults, tag):
    site.tags[PATH] = tag
    url = begin(site, faults, OLD)
    assert leftovers() == []
    site.url(PATH, NEW)
    assert download(url).read_bytes() == NEW
    assert asked(site) == [(None, None)]


@pytest.mark.parametrize("content", [NEW, OLD])
def test_download_without_validator_resumes_if_the_hash_matches(site, faults, content):
    site.tags[PATH] = None
    url = begin(site, faults, content, sha256=SHA)
    assert len(leftovers()) == 2
    site.url(PATH, NEW)
    assert download(url, sha256=SHA).read_bytes() == NEW
    assert asked(site)[0] == ("bytes=80000-", None)
    assert len(site.requests) == (1 if content is NEW else 2)
    assert leftovers() == []


def test_last_modified_is_a_validator_unless_it_is_recent(site, faults):
    site.tags[PATH] = None
    site.dates[PATH] = time.time() - 100
    url = begin(site, faults)
    assert download(url).read_bytes() == NEW
    assert asked(site)[0][0] == "bytes=80000-"
    assert asked(site)[0][1].endswith("GMT")
    site.dates[PATH] = time.time() + 5
    begin(site, faults, NEW, home=os.environ["BRICKWORK_HOME"] + "/2")
    assert leftovers() == []


def test_server_without_ranges_sends_the_whole_file(site, faults):
    site.ranges = False
    url = begin(site, faults)
    assert download(url).read_bytes() == NEW
    assert asked(site)[0][0] == "bytes=80000-"


@pytest.mark.parametrize("sent", ["bytes 70000-199999/200000", "bytes 80000-199999/300000", "none"])
def test_wrong_content_range_restarts_from_zero(site, faults, sent):
    url = begin(site, faults)

    def wrong(handler, content):
        tag = f'"{hashlib.md5(content).hexdigest()}"'
        handler.answer(206, content[70_000:], Content_Range=sent, ETag=tag)

    site.faults[PATH] = [wrong]
    assert download(url).read_bytes() == NEW
    assert [r for r, _ in asked(site)] == ["bytes=80000-", None]


def test_unrequested_partial_response_is_refused(site):
    def partly(handler, content):
        handler.answer(206, content[:10], Content_Range=f"bytes 0-9/{len(content)}")

    site.always[PATH] = partly
    with pytest.raises(DownloadError, match="10 of 200000"):
        download(site.url(PATH, NEW), retries=0)


def test_shrunken_file_restarts_from_zero(site, faults):
    site.tags[PATH] = '"never changes"'
    url = begin(site, faults)
    site.url(PATH, NEW[:1000])
    assert download(url).read_bytes() == NEW[:1000]


def test_complete_partial_file_requests_only_the_last_byte(site, faults):
    url = begin(site, faults)
    part = next(p for p in leftovers() if p.suffix == ".part")
    part.write_bytes(NEW)
    assert download(url).read_bytes() == NEW
    assert asked(site)[0][0] == f"bytes={len(NEW) - 1}-"


@pytest.mark.parametrize(
    ("known", "requested"), [(SHA, "bytes=80000-"), (None, None)], ids=["known", "unknown"]
)
def test_second_url_resumes_if_the_hash_is_known(make_site, faults, monkeypatch, known, requested):
    first, second = make_site(), make_site()
    first.faults[PATH] = [faults.cut(80_000), faults.status(404)]
    second.url(PATH, NEW)
    hosts = (f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}")
    monkeypatch.setenv("BRICKWORK_MIRRORS", f"{hosts[0]}={hosts[0]},{hosts[0]}={hosts[1]}")
    assert download(first.url(PATH, NEW), sha256=known).read_bytes() == NEW
    assert asked(second) == [(requested, None)]
    assert leftovers() == []


@pytest.mark.parametrize("answer", ["404", "page", "wrong"])
def test_refusal_removes_partial_files(site, faults, answer):
    url = begin(site, faults, sha256=SHA)
    assert leftovers()
    site.url(PATH, OLD)
    if answer != "wrong":
        page = faults.status(200, b"<html>", Content_Type="text/html")
        site.always[PATH] = faults.status(404) if answer == "404" else page
    with pytest.raises(DownloadError) as caught:
        download(url, sha256=SHA)
    assert leftovers() == []
    assert isinstance(caught.value, HashMismatchError) == (answer == "wrong")
    home = Path(os.environ["BRICKWORK_HOME"])
    assert not [p for p in home.rglob("*") if p.is_file() and p.stat().st_size > 1000]


def test_transient_failure_keeps_the_partial_file(site, faults):
    url = begin(site, faults)
    site.always[PATH] = faults.status(503)
    with pytest.raises(DownloadError, match="the next call resumes it"):
        download(url)
    assert len(leftovers()) == 2


def test_partial_file_without_origin_is_resumed_only_with_a_hash(site, faults):
    url = begin(site, faults)
    note = next(p for p in leftovers() if p.suffix == ".json")
    note.write_text("{]")
    assert download(url).read_bytes() == NEW
    assert asked(site) == [(None, None)]


def test_partial_file_beside_a_complete_file_is_removed(site, faults):
    url = begin(site, faults)
    (part,) = (p for p in leftovers() if p.suffix == ".part")
    part.with_name("net.pth").write_bytes(NEW)  # as another process without a lock would do
    assert download(url).read_bytes() == NEW
    assert not site.requests
    assert leftovers() == []


def test_partial_file_with_reused_process_number_becomes_stale(site, faults):
    url = begin(site, faults)
    part = next(p for p in leftovers() if p.suffix == ".part")
    living = part.with_name(part.name.replace(f"-{os.getpid()}-", f"-{os.getppid()}-"))
    part.with_name(part.name + ".json").rename(living.with_name(living.name + ".json"))
    part.rename(living)
    assert download(url).read_bytes() == NEW
    assert asked(site) == [(None, None)]
    next(Path(os.environ["BRICKWORK_HOME"]).rglob("net.pth")).unlink()
    os.utime(living, (0, 0))
    assert download(url).read_bytes() == NEW
    assert asked(site)[-1][0] == "bytes=80000-"
    assert leftovers() == []


def test_partial_file_of_another_host_is_left_alone_until_stale(site, faults):
    url = begin(site, faults)
    part = next(p for p in leftovers() if p.suffix == ".part")
    # As if another machine were writing it now: another host's mark, a fresh date.
    host, process, token = part.stem.rpartition("~")[2].split("-")
    other = part.with_name(part.name.replace(host, "00000000"))
    part.rename(other)
    part.with_name(part.name + ".json").rename(other.with_name(other.name + ".json"))
    assert json.loads(other.with_name(other.name + ".json").read_text())["url"] == url
    assert process == str(os.getpid())
    assert len(token) == 8
    assert download(url).read_bytes() == NEW
    assert asked(site) == [(None, None)]
    assert other.exists()
    os.utime(other, (0, 0))
    download(site.url("/other.pth", b"x"))
    for file in Path(os.environ["BRICKWORK_HOME"]).rglob("net.pth"):
        file.unlink()
    assert download(url).read_bytes() == NEW
    assert asked(site)[-1][0] == "bytes=80000-"
    assert leftovers() == []
