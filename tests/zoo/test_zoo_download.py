"""Downloads from servers with and without faults, and the cache."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import re
import resource
import socket
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest
from brickwork_zoo import download, verify
from brickwork_zoo.errors import (
    CacheError,
    DownloadError,
    HashMismatchError,
    InvalidInputError,
    MissingFileError,
    OfflineError,
    ZooError,
)

BODY = random.Random(0).randbytes(300_000)
SHA = hashlib.sha256(BODY).hexdigest()
PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"


def data_files() -> list[Path]:
    """List the files in the cache, without records, locks and other hidden files."""
    home = Path(os.environ["BRICKWORK_HOME"])
    names = (".lock", ".record.json", ".sha256")
    return [p for p in home.rglob("*") if p.is_file() and p.name not in names]


def test_file_is_downloaded_once_and_keeps_its_name(site):
    url = site.url(f"/models/net-{SHA[:8]}.pth", BODY)
    path = download(url)
    assert path.name == f"net-{SHA[:8]}.pth"
    assert path.read_bytes() == BODY
    assert download(url) == path
    assert site.asked() == 1
    assert data_files() == [path]


@pytest.mark.parametrize("known", ["", SHA[:8], SHA, SHA.upper(), f"sha256:{SHA}"])
def test_download_works_with_and_without_a_hash(site, known):
    path = download(site.url("/net.pth", BODY), sha256=known or None)
    assert path.read_bytes() == BODY


@pytest.mark.parametrize("sha256", ["57934", "xyz", "0" * 65, "sha1:" + "0" * 40])
def test_invalid_hash_is_refused_before_any_request(site, sha256):
    with pytest.raises(InvalidInputError, match="64 hexadecimal digits") as caught:
        download(site.url("/net.pth", BODY), sha256=sha256)
    assert "/net.pth" in str(caught.value)
    assert not site.requests


@pytest.mark.parametrize("path", ["/net-deadbeef.pth", "/net.pth"])
def test_wrong_hash_raises_and_leaves_no_file(site, path):
    url = site.url(path, BODY)
    with pytest.raises(HashMismatchError) as caught:
        download(url, sha256=None if "-" in path else "0" * 64)
    assert caught.value.actual == SHA
    assert caught.value.expected in ("deadbeef", "0" * 64)
    assert url in str(caught.value)
    assert data_files() == []
    assert site.asked() == 1


def test_wrong_hash_in_file_name_error_says_how_to_continue(site, caplog):
    url = site.url("/net-deadbeef.pth", BODY)
    with pytest.raises(HashMismatchError, match="Only the file's name") as caught:
        download(url)
    assert f"sha256='{SHA}'" in str(caught.value)
    assert "sha256=False" in str(caught.value)
    assert download(url, sha256=False).read_bytes() == BODY
    assert f"{url} is not verified" in caplog.text
    path = download(url, sha256=caught.value.actual)
    assert path.read_bytes() == BODY


def test_wrong_hash_in_argument_error_names_the_argument(site):
    with pytest.raises(HashMismatchError, match="was passed as sha256; check it"):
        download(site.url("/net.pth", BODY), sha256="0" * 64)


@pytest.mark.parametrize("name", ["/net-deadbeef.pth", "/net.pth"])
def test_hash_passed_once_counts_for_later_calls_with_the_url(site, name):
    url = site.url(name, BODY)
    path = download(url, sha256=SHA[:20])
    site.requests.clear()
    assert download(url) == download(url, offline=True) == path
    assert verify(url).expected == SHA[:20]
    assert not site.requests
    path.unlink()
    assert download(url).read_bytes() == BODY
    site.files[name] = BODY[::-1]
    path.unlink()
    with pytest.raises(HashMismatchError, match="in an earlier call") as caught:
        download(url)
    download(url, sha256=caught.value.actual)
    assert download(url, offline=True).read_bytes() == BODY[::-1]


def test_hash_passed_once_is_forgotten_when_the_file_name_is_right_again(site):
    name = f"/net-{SHA[:8]}.pth"
    other = BODY[::-1]
    path = download(site.url(name, other), sha256=hashlib.sha256(other).hexdigest())
    path.unlink()
    download(site.url(name, BODY), sha256=SHA)
    assert download(site.url(name), offline=True).read_bytes() == BODY


@pytest.mark.parametrize("name", ["model-00100000.pth", "x-31122023.pth", "net-57934424.pth"])
def test_number_at_the_end_of_a_file_name_is_not_a_hash(site, name):
    assert download(site.url(name, BODY)).read_bytes() == BODY


def test_two_urls_with_the_same_file_name_are_two_cache_entries(site):
    paths = [download(site.url(f"/{n}/net.pth", n.encode())) for n in "ab"]
    assert [path.read_bytes() for path in paths] == [b"a", b"b"]
    query = [download(site.url(f"/net.pth?v={n}", n.encode())) for n in "ab"]
    assert [path.read_bytes() for path in query] == [b"a", b"b"]


def test_urls_with_the_same_hash_share_a_cache_entry(make_site):
    one, two = make_site(), make_site()
    first = download(one.url("/a.pth", BODY), sha256=SHA)
    assert download(two.url("/b.pth", BODY), sha256=SHA) == first
    assert download(two.url(f"/c-{SHA[:10]}.pth", BODY)) == first
    assert not two.requests


@pytest.mark.parametrize("code", [500, 502, 503, 429])
def test_transient_http_status_is_retried(site, faults, code):
    url = site.url("/net.pth", BODY)
    site.faults["/net.pth"] = [faults.status(code), faults.status(code)]
    assert download(url).read_bytes() == BODY
    assert site.asked() == 3


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_client_error_status_is_not_retried(site, faults, code):
    url = site.url("/net.pth")
    site.always["/net.pth"] = faults.status(code, b"x" * 5000)
    with pytest.raises(DownloadError, match=str(code)) as caught:
        download(url)
    assert site.asked() == 1
    assert caught.value.failures[0].status == code
    assert caught.value.failures[0].url == url
    assert url in str(caught.value)
    assert data_files() == []


@pytest.mark.parametrize(
    ("variable", "argument", "attempts"), [("0", None, 1), ("2", None, 3), ("2", 1, 2)]
)
def test_retries_setting_limits_attempts(site, faults, monkeypatch, variable, argument, attempts):
    monkeypatch.setenv("BRICKWORK_RETRIES", variable)
    site.always["/net.pth"] = faults.status(500)
    with pytest.raises(DownloadError) as caught:
        download(site.url("/net.pth"), retries=argument)
    assert site.asked() == attempts == caught.value.failures[0].attempts


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_overrides_backoff(site, faults, form):
    # The date is rounded down to seconds: two seconds from now are at least one.
    after = "1" if form == "seconds" else formatdate(time.time() + 2, usegmt=True)
    url = site.url("/net.pth", BODY)
    site.faults["/net.pth"] = [faults.status(503, Retry_After=after)]
    began = time.monotonic()
    download(url, backoff=0)
    assert time.monotonic() - began >= 0.9


def test_long_retry_after_fails_at_once(site, faults):
    site.always["/net.pth"] = faults.status(429, Retry_After="86400")
    with pytest.raises(DownloadError, match="asks to wait 86400 s"):
        download(site.url("/net.pth"))
    assert site.asked() == 1


def test_pauses_between_attempts_double(site, faults, monkeypatch):
    pauses = []
    monkeypatch.setattr(
        "brickwork_zoo._fetch._download._Download._pause", lambda _, s: pauses.append(s)
    )
    site.always["/net.pth"] = faults.status(500)
    with pytest.raises(DownloadError):
        download(site.url("/net.pth"), backoff=0.5, retries=4)
    assert pauses == [0.5, 1.0, 2.0, 4.0]


def test_cut_connection_is_resumed_within_one_call(site, faults):
    url = site.url("/net.pth", BODY)
    site.faults["/net.pth"] = [faults.cut(100_000), faults.cut(50_000), faults.drop]
    assert download(url).read_bytes() == BODY
    ranges = [headers.get("Range") for _, headers in site.requests]
    assert ranges == [None, "bytes=100000-", "bytes=150000-", "bytes=150000-"]


def test_stalled_response_times_out(site, faults):
    url = site.url("/net.pth", BODY)
    site.faults["/net.pth"] = [faults.stall(40_000), faults.stall(0)]
    began = time.monotonic()
    assert download(url, timeout=0.3).read_bytes() == BODY
    assert time.monotonic() - began < 10
    site.always["/other.pth"] = faults.stall(0, seconds=1)
    with pytest.raises(DownloadError, match=r"no data within 0\.3 s"):
        download(site.url("/other.pth", BODY), timeout=0.3, retries=0)


def test_slow_but_steady_response_does_not_time_out(site, faults):
    site.always["/net.pth"] = faults.trickle(30_000, 0.1)
    assert download(site.url("/net.pth", BODY), timeout=0.5).read_bytes() == BODY


@pytest.mark.parametrize("kind", ["Text/HTML; charset=utf-8", "application/octet-stream"])
def test_html_page_instead_of_file_is_refused(site, faults, kind):
    site.always["/net.pth"] = faults.status(200, PAGE, Content_Type=kind)
    with pytest.raises(DownloadError, match="HTML page"):
        download(site.url("/net.pth"))
    assert data_files() == []
    assert site.asked() == 1


def test_html_file_can_be_downloaded(site, faults):
    site.always["/page.html"] = faults.status(200, PAGE, Content_Type="text/html")
    assert download(site.url("/page.html")).read_bytes() == PAGE


def test_failed_url_falls_back_to_the_next(make_site, faults, monkeypatch):
    sites = {n: make_site() for n in ("busy", "gone", "page", "wrong", "good", "unasked")}
    name = f"/net-{SHA[:16]}.pth"
    sites["busy"].always[name] = faults.status(500)
    sites["page"].always[name] = faults.status(200, PAGE, Content_Type="text/html")
    sites["wrong"].files[name] = BODY[::-1]
    sites["good"].files[name] = sites["unasked"].files[name] = BODY
    hosts = ["no-such-host.invalid", "127.0.0.1:1"]
    hosts += [f"127.0.0.1:{sites[n].port}" for n in sites if n != "unasked"]
    monkeypatch.setenv("BRICKWORK_MIRRORS", ",".join(f"example.org={host}" for host in hosts))
    assert download(f"http://example.org{name}", retries=1).read_bytes() == BODY
    assert [site.asked() for site in sites.values()] == [2, 1, 1, 1, 1, 0]
    assert len(data_files()) == 1

    rules = [f"example.org={host}" for host in (*hosts[:-1], "")]
    monkeypatch.setenv("BRICKWORK_MIRRORS", ",".join(rules))
    with pytest.raises(DownloadError) as caught:
        download(f"http://example.org{name}", retries=0, home=os.environ["HOME_2"])
    reasons = {failure.url: failure.reason for failure in caught.value.failures}
    assert list(reasons) == [f"http://{host}{name}" for host in hosts[:-1]]
    for host, reason in zip(
        hosts, ("unknown host", "no connection", "500", "404", "HTML", "expected"), strict=False
    ):
        assert reason in reasons[f"http://{host}{name}"]
        assert host in str(caught.value)


@pytest.fixture(autouse=True)
def _second_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME_2", str(tmp_path / "home2"))


def test_redirect_is_followed_and_file_is_named_after_first_url(site, faults):
    site.url("/blob/123", BODY)
    site.always["/net.pth"] = faults.status(302, Location="/blob/123")
    assert download(site.url("/net.pth")).name == "net.pth"
    site.always["/loop.pth"] = faults.status(302, Location="/loop.pth")
    with pytest.raises(DownloadError, match="TooManyRedirects"):
        download(site.url("/loop.pth"))
    site.always["/away.pth"] = faults.status(302, Location="file:///etc/passwd")
    with pytest.raises(DownloadError, match="InvalidSchema"):
        download(site.url("/away.pth"))


def test_chunked_response_without_length_is_downloaded(site):
    def chunked(handler, content):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for start in range(0, len(content), 70_000):
            block = content[start : start + 70_000]
            handler.wfile.write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n")

    def broken(handler, content):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"11170\r\n" + content[:10_000])
        handler.close_connection = True

    site.faults["/net.pth"] = [broken, chunked]
    assert download(site.url("/net.pth", BODY)).read_bytes() == BODY


def test_compressed_response_is_decompressed(site, faults):
    packed = gzip.compress(BODY)
    site.always["/net.pth"] = faults.status(200, packed, Content_Encoding="gzip")
    assert download(site.url("/net.pth"), sha256=SHA).read_bytes() == BODY


@pytest.mark.parametrize("known", [SHA, None])
def test_cut_compressed_response_restarts_from_zero(site, faults, known):
    # A range of the compressed bytes is not a part of the file; this server sends one nevertheless.
    site.always["/net.pth"] = lambda handler, content: handler.send_file(content)
    packed = gzip.compress(BODY)

    def send(count):
        def fault(handler, _):
            start = int(handler.headers.get("Range", "bytes=0-")[6:-1])
            handler.send_response(206 if start else 200)
            if start:
                span = f"bytes {start}-{len(packed) - 1}/{len(packed)}"
                handler.send_header("Content-Range", span)
            handler.send_header("Content-Encoding", "gzip")
            handler.send_header("Content-Length", str(len(packed) - start))
            handler.end_headers()
            handler.wfile.write(packed[start:][:count])
            handler.close_connection = True

        return fault

    site.faults["/net.pth"] = [send(100_000), *[send(None)] * 3]
    assert download(site.url("/net.pth", BODY), sha256=known).read_bytes() == BODY
    assert len(site.faults["/net.pth"]) in (1, 2)


def test_unsupported_content_encoding_is_refused(site, faults):
    site.always["/net.pth"] = faults.status(200, b"packed", Content_Encoding="br")
    with pytest.raises(DownloadError, match="Content-Encoding 'br'"):
        download(site.url("/net.pth"))
    site.always["/plain.pth"] = faults.status(200, BODY, Content_Encoding="identity")
    assert download(site.url("/plain.pth")).read_bytes() == BODY


@pytest.mark.parametrize("known", [SHA, ""])
def test_response_without_length_is_complete_only_if_the_hash_matches(site, known):
    """Only a hash shows whether such a response is complete."""

    def until_it_hangs_up(count):
        def fault(handler, content):
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(content[:count])
            handler.close_connection = True

        return fault

    site.faults["/net.pth"] = [until_it_hangs_up(len(BODY))]
    url = site.url("/net.pth", BODY)
    assert download(url, sha256=known or None).read_bytes() == BODY
    if known:
        site.always["/net.pth"] = until_it_hangs_up(1000)
        with pytest.raises(HashMismatchError):
            download(url, sha256=known, home=os.environ["HOME_2"])


def raw(*answers: bytes) -> Callable[..., None]:
    """Send a response of arbitrary bytes, which may be invalid HTTP."""
    left = list(answers)

    def fault(handler, _):
        handler.wfile.write(left.pop(0) if left[1:] else left[0])
        handler.close_connection = True

    return fault


@pytest.mark.parametrize(
    "answer",
    [
        b"\x1b[31m\x00 no HTTP" + b"\xe9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 404 \x1b[31mred\x07\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1/x\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_malformed_http_response_gives_short_error(site, answer):
    site.always["/net.pth"] = raw(answer)
    with pytest.raises(DownloadError) as caught:
        download(site.url("/net.pth"), retries=1)
    (failure,) = caught.value.failures
    assert failure.reason.isprintable()
    assert 5 < len(failure.reason) < 400
    assert data_files() == []


@pytest.mark.parametrize("after", ["²", "soon", "-5", "Mon, 01 Jan 1990 00:00:00 GMT", "1.5.5"])
def test_invalid_retry_after_is_ignored(site, faults, after):
    site.faults["/net.pth"] = [faults.status(503, Retry_After=after)]
    assert download(site.url("/net.pth", BODY)).read_bytes() == BODY


@pytest.mark.parametrize("length", [b"-5", b"\xb2", b"many"])
def test_invalid_content_length_is_ignored(site, length):
    site.always["/net.pth"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\nabc")
    assert download(site.url("/net.pth")).read_bytes() == b"abc"


def test_empty_file_is_downloaded(site):
    assert download(site.url("/empty.bin", b"")).read_bytes() == b""


@pytest.mark.parametrize(
    "last",
    ["..", ".", "", "a%2Fb%2F..%2Fc.pth", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "x" * 400 + ".pth",
     "größe-模型.pth", "a%00b.pth", "con.pth", ".hidden", "a b.pth", "%ff%fe.pth", "a;b&c.pth"],
)  # fmt: skip
def test_unusual_url_path_gives_a_safe_file_name(site, last):
    def answer(handler, _):
        handler.answer(200, handler.path.encode())

    site.always = type("Any", (dict,), {"get": lambda *_: answer})()
    home = Path(os.environ["BRICKWORK_HOME"])
    path = download(site.url(f"/models/{last}"))
    assert path.read_bytes() == site.requests[0][0].encode()
    assert path.is_relative_to(home)
    assert path.resolve() == path
    assert path.parent.parent == home / "checkpoints"
    assert len(path.name.encode()) <= 150
    assert not path.name.startswith(".")


@pytest.mark.parametrize("url", ["http://", "http:///x.pth", "http://[::1/x", "https://?x"])
def test_invalid_url_is_refused(url):
    with pytest.raises(InvalidInputError, match="invalid URL") as caught:
        download(url)
    assert url in str(caught.value)


@pytest.mark.parametrize("url", ["http://a b/x.pth", "http://host:99999/x", "http://-\udcff/x.pth"])
def test_unrequestable_url_raises_zoo_error(url):
    with pytest.raises(ZooError):
        download(url, retries=0, timeout=0.5)


def test_offline_makes_no_request_and_error_names_the_cache_path(site, monkeypatch):
    monkeypatch.setenv("BRICKWORK_OFFLINE", "1")
    url = site.url(f"/net-{SHA[:8]}.pth", BODY)
    with pytest.raises(OfflineError) as caught:
        download(url)
    assert url in str(caught.value)
    path = caught.value.path
    assert path is not None
    assert str(path) in str(caught.value)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not that")
    with pytest.raises(OfflineError):
        download(url)
    path.write_bytes(BODY)
    assert download(url) == path
    assert not site.requests


@pytest.mark.parametrize("name", [f"/net-{SHA[:8]}.pth", "/net.pth"])
def test_corrupt_cache_file_is_replaced_by_a_new_download(site, caplog, name):
    url = site.url(name, BODY)
    path = download(url)
    path.write_bytes(BODY[:1000])
    site.requests.clear()
    assert download(url).read_bytes() == BODY
    assert site.asked() == 1
    assert "has changed since it was verified" in caplog.text
    assert data_files() == [path]


def test_cache_file_without_record_is_hashed_before_use(site, monkeypatch):
    url = site.url(f"/net-{SHA[:8]}.pth", BODY)
    path = download(url)
    record = path.with_name(".record.json")
    hashed = []
    monkeypatch.setattr(
        "brickwork_zoo._fetch._cache.hash_file",
        lambda p: hashed.append(p) or hashlib.sha256(p.read_bytes()).hexdigest(),
    )
    for damage in (record.unlink, lambda: record.write_text("{"), lambda: os.utime(path)):
        damage()
        hashed.clear()
        assert download(url) == path == download(url)
        assert hashed == [path]
    assert site.asked() == 1


def test_unreadable_cache_file_is_downloaded_again_and_kept(site, monkeypatch):
    url = site.url(f"/net-{SHA[:8]}.pth", BODY)
    path = download(url)
    path.with_name(".record.json").unlink()

    def unreadable(path):
        raise CacheError("not yours", path=path)

    monkeypatch.setattr("brickwork_zoo._fetch._cache.hash_file", unreadable)
    assert download(url) == path
    assert site.asked() == 2
    assert data_files() == [path]


def test_torch_hub_file_is_used_if_its_hash_matches(site):
    folder = Path(os.environ["TORCH_HOME"]) / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    name = f"net-{SHA[:8]}.pth"
    (folder / name).write_bytes(BODY)
    url = site.url(f"/{name}", BODY)
    assert download(url) == folder / name == download(url)
    assert not site.requests
    (folder / name).write_bytes(b"something else")
    assert download(url) != folder / name
    assert (folder / name).read_bytes() == b"something else"
    os.utime(folder / name)
    assert download(url).read_bytes() == BODY
    (folder / "plain.pth").write_bytes(b"whose?")
    assert download(site.url("/plain.pth", BODY)).read_bytes() == BODY


def test_progress_callback_gets_bytes_and_total(site, faults):
    calls = []
    site.faults["/net.pth"] = [faults.cut(100_000)]
    download(site.url("/net.pth", BODY), progress=lambda *now: calls.append(now))
    assert calls[0] == (0, len(BODY))
    assert calls[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_progress_bar_is_shown_only_on_a_terminal(site, capsys):
    url = site.url(f"/net-{SHA[:8]}.pth", BODY)
    download(url)
    assert capsys.readouterr() == ("", "")
    download(url, home=os.environ["HOME_2"], progress=True)
    drawn = capsys.readouterr()
    assert drawn.out == ""
    assert f"net-{SHA[:8]}.pth" in drawn.err
    assert "100%" in drawn.err


@pytest.mark.parametrize("kind", [LookupError, BrokenPipeError, TimeoutError])
def test_error_in_progress_callback_reaches_the_caller(site, kind):
    def fail(*_):
        raise kind("mine")

    with pytest.raises(kind, match="mine"):
        download(site.url("/net.pth", BODY), progress=fail)
    assert site.asked() == 1
    assert data_files() == []


def test_unreadable_local_file_raises_cache_error(tmp_path, monkeypatch):
    path = tmp_path / "net.pth"
    path.write_bytes(BODY)
    opened = Path.open

    def forbidden(self, *args, **options):
        if self == path:
            raise PermissionError(13, "not yours")
        return opened(self, *args, **options)

    monkeypatch.setattr(Path, "open", forbidden)
    for ask in (download, verify):
        with pytest.raises(CacheError, match=rf"{re.escape(str(path))}.*not yours"):
            ask(path, sha256=SHA)


def test_local_path_is_returned_unchanged(tmp_path, monkeypatch):
    path = tmp_path / "net-00000000.pth"
    path.write_bytes(BODY)
    assert download(path) == download(str(path)) == download(path.as_uri()) == path
    assert download(path, sha256=SHA) == path
    monkeypatch.setenv("HOME", str(tmp_path))
    assert download("~/net-00000000.pth") == path
    with pytest.raises(HashMismatchError, match=re.escape(str(path))):
        download(path, sha256="0" * 64)
    with pytest.raises(MissingFileError, match=r"nothing\.pth"):
        download(tmp_path / "nothing.pth")
    with pytest.raises(InvalidInputError, match="host"):
        download("file://elsewhere/net.pth")


@pytest.mark.parametrize("tag", [None, '"strong"'])
def test_full_disk_raises_cache_error(site, faults, tag):
    site.tags["/net.pth"] = tag
    site.faults["/net.pth"] = [faults.trickle(30_000, 0.02)]
    url = site.url("/net.pth", BODY)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # as if the disk were full
    try:
        with pytest.raises(CacheError, match="too large") as caught:
            download(url)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert url in str(caught.value)
    assert site.asked() == 1
    assert bool(data_files()) == bool(tag)  # a resumable file is kept
    assert download(url).read_bytes() == BODY
    assert site.requests[-1][1].get("Range") == ("bytes=100000-" if tag else None)
    assert data_files() == [download(url)]


def test_unwritable_cache_error_names_the_setting(site, monkeypatch):
    monkeypatch.setattr("brickwork_zoo._fetch._cache.temporary_home", lambda: Path("/proc/nowhere"))
    url = site.url("/net.pth", BODY)
    with pytest.raises(CacheError, match="BRICKWORK_HOME") as caught:
        download(url, home="/proc/home")
    for text in (url, "/proc/home", "/proc/nowhere"):
        assert text in str(caught.value)
    assert not site.requests


def test_temporary_home_of_another_user_is_refused(site, monkeypatch, tmp_path):
    planted = tmp_path / "planted"
    planted.mkdir()
    monkeypatch.setattr("brickwork_zoo._fetch._cache.temporary_home", lambda: planted)
    url = site.url("/net.pth", BODY)
    planted.chmod(0o777)  # as an attacker would do
    with pytest.raises(CacheError, match="writable by other users"):
        download(url, home="/proc/home")
    link = tmp_path / "link"
    link.symlink_to(planted)
    planted.chmod(0o700)
    os.lchown(link, 12345, 12345) if os.getuid() == 0 else pytest.skip("only root gives away")
    monkeypatch.setattr("brickwork_zoo._fetch._cache.temporary_home", lambda: link)
    with pytest.raises(CacheError, match="writable by other users"):
        download(url, home="/proc/home")


def test_hub_token_is_not_sent_to_a_redirect_target(make_site, faults, monkeypatch):
    hub, store = make_site(), make_site()
    monkeypatch.setenv("HF_ENDPOINT", hub.url("/").rstrip("/"))
    monkeypatch.setenv("HF_TOKEN", "secret")
    hub.always["/o/r/resolve/main/net.pth"] = faults.status(302, Location=store.url("/b", BODY))
    assert download("hf://o/r/net.pth").read_bytes() == BODY
    assert hub.requests[0][1]["Authorization"] == "Bearer secret"
    # The same host with another port is another server.
    assert "Authorization" not in store.requests[0][1]


def test_unresponsive_host_times_out():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        with pytest.raises(DownloadError, match=r"no data|no connection"):
            download(f"http://127.0.0.1:{port}/x.pth", timeout=0.3, retries=0)


def test_concurrent_threads_download_a_file_once(site, faults):
    url = site.url("/net.pth", BODY)
    site.always["/net.pth"] = faults.trickle(50_000, 0.03)
    paths = []
    threads = [threading.Thread(target=lambda: paths.append(download(url))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 6
    assert set(paths) == {paths[0]}
    assert site.asked() == 1


def test_password_in_url_is_used_but_never_shown_or_stored(site, faults):
    url = site.url("/net.pth").replace("://", "://me:secret@")
    with pytest.raises(DownloadError, match=r"me:\*\*\*@127") as caught:
        download(url)
    assert "secret" not in str(caught.value) + repr(caught.value.failures)
    assert site.requests[0][1]["Authorization"].startswith("Basic ")
    site.url("/net.pth", BODY)
    site.faults["/net.pth"] = [faults.cut(100_000)]
    with pytest.raises(DownloadError):
        download(url, retries=0)
    texts = [p.read_text(errors="replace") for p in data_files()]
    assert download(url).read_bytes() == BODY
    assert site.requests[-1][1]["Range"] == "bytes=100000-"
    texts.append(next(Path(os.environ["BRICKWORK_HOME"]).rglob(".record.json")).read_text())
    assert any("me:***@127" in text for text in texts)
    assert not any("secret" in text for text in texts)


def test_credentials_in_query_are_sent_but_never_shown_or_stored(site, caplog):
    url = site.url("/net.pth", BODY) + "?token=secret&X-Amz-Signature=secret"
    site.files[url.partition(str(site.port))[2]] = BODY
    path = download(url, sha256=False)
    assert "secret" in site.requests[0][0]
    bad = url.replace("net.pth", "none.pth")
    with pytest.raises(DownloadError) as caught:
        download(bad)
    stored = [p.read_text(errors="replace") for p in path.parent.iterdir() if p != path]
    shown = [str(caught.value), repr(caught.value.failures), str(caught.value.uri), caplog.text]
    assert not any("secret" in text for text in stored + shown)


@pytest.mark.parametrize("status", [401, 403])
def test_denied_access_error_has_server_reason_and_variable_to_set(site, status):
    def deny(handler, _):
        handler.answer(status, b'{"error": "Quota exceeded"}', Content_Type="application/json")

    site.always["/net.pth"] = deny
    with pytest.raises(DownloadError, match=r"Quota exceeded; access needs .*netrc"):
        download(site.url("/net.pth"))
