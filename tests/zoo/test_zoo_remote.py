"""Downloads from the hub, nginx and object stores."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from brickwork_zoo import download
from brickwork_zoo._fetch._fsspec import _validator
from brickwork_zoo.errors import DownloadError, InvalidInputError, MissingDependencyError

from tests.support.waiting import wait_until

BODY = os.urandom(500_000)
SHA = hashlib.sha256(BODY).hexdigest()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def is_listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def hub(make_site, faults, monkeypatch):
    """Return two servers: a hub with private files, and a store that it redirects to."""
    front, store = make_site(), make_site()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{front.port}")

    def large(handler, _):
        if "private" in handler.path and handler.headers.get("Authorization") != "Bearer hf_x":
            handler.answer(401, X_Error_Message="Access to this repository is restricted")
            return
        where = store.url("/xet/blob?signature=1", BODY)
        tags = {"X_Linked_ETag": f'"{SHA}"', "X_Linked_Size": str(len(BODY))}
        handler.answer(302, Location=where, ETag='"of the pointer"', X_Repo_Commit="0" * 40, **tags)

    for repo in ("o/r", "o/private"):
        for revision in ("main", "refs%2Fpr%2F1"):
            front.always[f"/{repo}/resolve/{revision}/sub/net.pth"] = large
    front.url("/o/r/resolve/main/small.json", b"{}")
    return front, store


def test_hub_files_are_downloaded_directly_or_through_a_redirect(hub):
    front, store = hub
    assert download("hf://o/r/small.json").read_bytes() == b"{}"
    path = download("hf://o/r/sub/net.pth")
    assert (path.name, path.read_bytes()) == ("net.pth", BODY)
    assert download("hf://o/r/sub/net.pth@refs/pr/1") != path
    assert front.asked("sub/net.pth") == store.asked() == 2
    assert "Authorization" not in front.requests[0][1]


def test_hash_sent_by_the_hub_is_checked(hub):
    _, store = hub

    def other(handler, content):
        handler.answer(200, content[::-1])

    store.always["/xet/blob?signature=1"] = other
    with pytest.raises(DownloadError, match="expected"):
        download("hf://o/r/sub/net.pth")


def test_token_opens_private_repository_and_is_sent_only_to_the_hub(hub, monkeypatch):
    _, store = hub
    with pytest.raises(DownloadError, match="401"):
        download("hf://o/private/sub/net.pth")
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    assert download("hf://o/private/sub/net.pth").read_bytes() == BODY
    assert all("Authorization" not in headers for _, headers in store.requests)
    elsewhere = store.url("/plain.pth", b"x")
    download(elsewhere)
    assert "Authorization" not in store.requests[-1][1]


@pytest.mark.parametrize("token", ["hf_x\n", " hf_x ", "\thf_x\r\n"])
def test_whitespace_around_the_token_is_ignored(hub, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    assert download("hf://o/private/sub/net.pth").read_bytes() == BODY


@pytest.mark.parametrize("token", ["", " ", "\n"])
def test_blank_token_is_not_sent_and_error_names_the_variable(hub, monkeypatch, token):
    front, _ = hub
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(DownloadError, match=r"restricted; set HF_TOKEN"):
        download("hf://o/private/sub/net.pth")
    assert "Authorization" not in front.requests[-1][1]


def test_refused_token_error_names_the_variable_and_not_the_token(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    with pytest.raises(DownloadError, match="restricted; the token in HF_TOKEN") as caught:
        download("hf://o/private/sub/net.pth")
    assert "hf_other" not in str(caught.value)


@pytest.mark.parametrize("token", ["hf_a\nb", "hf_ä", "hf a"])
def test_invalid_token_error_does_not_show_the_token(hub, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(InvalidInputError, match="HF_TOKEN must not contain") as caught:
        download("hf://o/private/sub/net.pth")
    assert token not in str(caught.value)


def test_cut_hub_download_resumes_through_a_new_redirect(hub, faults):
    _, store = hub
    store.faults["/xet/blob?signature=1"] = [faults.cut(200_000)]
    assert download("hf://o/r/sub/net.pth").read_bytes() == BODY
    assert store.requests[1][1]["Range"] == "bytes=200000-"


@pytest.fixture
def memory() -> Iterator[str]:
    """Return the URL of a file in fsspec's in-memory file system."""
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.pipe_file("/bucket/net.pth", BODY)
    yield "memory://bucket/net.pth"
    system.rm("/bucket", recursive=True)


def test_fsspec_url_is_downloaded_verified_and_cached(memory):
    path = download(memory, sha256=SHA)
    assert path.read_bytes() == BODY
    pytest.importorskip("fsspec").filesystem("memory").pipe_file("/bucket/net.pth", b"changed")
    assert download(memory, sha256=SHA) == path
    with pytest.raises(DownloadError, match="expected"):
        download(memory, sha256="0" * 64)
    with pytest.raises(DownloadError, match=r"memory://bucket/none\.pth: FileNotFoundError"):
        download("memory://bucket/none.pth")


def break_off(monkeypatch, after: int) -> list[int]:
    """Make in-memory files return small parts and fail once; return the offset of each read."""
    from fsspec.implementations.memory import MemoryFile

    offsets: list[int] = []
    read = MemoryFile.read

    def failing(self, size=-1):
        offsets.append(self.tell())
        if len(offsets) == after:
            raise OSError("connection reset")
        return read(self, 100_000)

    monkeypatch.setattr(MemoryFile, "read", failing)
    return offsets


def age(monkeypatch, seconds: float) -> None:
    """Move the clock of the zoo forward."""
    now = time.time
    monkeypatch.setattr("brickwork_zoo._fetch._fsspec.time.time", lambda: now() + seconds)


@pytest.mark.parametrize(("known", "seconds"), [(SHA, 0), ("", 10)], ids=["hash", "no hash"])
def test_cut_fsspec_download_is_resumed(memory, monkeypatch, known, seconds):
    age(monkeypatch, seconds)
    offsets = break_off(monkeypatch, after=4)
    assert download(memory, sha256=known or None).read_bytes() == BODY
    assert offsets == [0, 100_000, 200_000, 300_000, 300_000, 400_000, 500_000]


def test_recent_date_is_not_a_validator(memory, monkeypatch):
    offsets = break_off(monkeypatch, after=4)
    assert download(memory).read_bytes() == BODY
    assert offsets[4] == 0


@pytest.mark.parametrize("known", [SHA, ""], ids=["hash", "no hash"])
@pytest.mark.parametrize("seconds", [0, 10])
def test_changed_object_is_never_mixed_with_the_old_one(memory, monkeypatch, known, seconds):
    age(monkeypatch, seconds)
    system = pytest.importorskip("fsspec").filesystem("memory")
    system.pipe_file("/bucket/net.pth", BODY[::-1])
    offsets = break_off(monkeypatch, after=4)
    with pytest.raises(DownloadError, match="connection reset"):
        download(memory, sha256=known or None, retries=0)
    system.pipe_file("/bucket/net.pth", BODY)
    assert download(memory, sha256=known or None).read_bytes() == BODY
    assert offsets[-6:] == [0, 100_000, 200_000, 300_000, 400_000, 500_000]


DAY = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("info", "is_validator"),
    [
        ({"ETag": '"a"', "size": 5}, True),
        ({"etag": 'W/"a"', "size": 5}, False),
        ({"etag": 'W/"a"', "size": 5, "modified": DAY}, True),
        ({"generation": 17}, True),
        ({"md5Hash": "x"}, True),
        ({"size": 5}, False),
        ({"size": 5, "mtime": 1e9}, True),
        ({"size": 5, "mtime": 4e9}, False),
        ({"size": 5, "mtime": 4e9, "created": 1e9}, False),
        ({"size": 5, "LastModified": "in words that we do not read"}, False),
        ({"size": 5, "last_modified": DAY}, True),
    ],
)
def test_validator_of_file_system_info(info, is_validator):
    assert (_validator(info) is not None) == is_validator


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ({"ETag": "a", "mtime": 1.0}, {"ETag": "a", "mtime": 2.0}, True),
        ({"ETag": "a", "mtime": 1.0}, {"ETag": "b", "mtime": 1.0}, False),
        ({"size": 5, "mtime": 1.0}, {"size": 6, "mtime": 1.0}, False),
        ({"size": 5, "mtime": 1.0}, {"size": 5, "mtime": 2.0}, False),
        ({"size": 5, "mtime": 1.0, "x": 1}, {"size": 5, "mtime": 1.0, "x": 2}, True),
        ({"size": 5, "created": DAY}, {"size": 5, "created": DAY}, True),
    ],
)
def test_validators_of_two_versions_differ(first, second, is_same):
    assert (_validator(first) == _validator(second)) == is_same


def test_object_that_changes_during_download_is_downloaded_again(memory, monkeypatch):
    system = pytest.importorskip("fsspec").filesystem("memory")
    system.pipe_file("/bucket/net.pth", BODY[::-1])
    progress = []

    def change(done, _):
        progress.append(done)
        if len(progress) == 2:
            system.pipe_file("/bucket/net.pth", BODY)

    break_off(monkeypatch, after=0)
    assert download(memory, progress=change).read_bytes() == BODY
    assert progress.count(0) == 2


def test_missing_fsspec_error_names_the_extra(monkeypatch):
    monkeypatch.setattr("brickwork_zoo._find._fsspec_schemes.is_installed", lambda: False)
    with pytest.raises(MissingDependencyError, match=r"brickwork-zoo\[fsspec\]") as caught:
        download("s3://bucket/net.pth")
    assert "s3://bucket/net.pth" in str(caught.value)


@pytest.fixture
def nginx(tmp_path) -> Iterator[tuple[str, Path]]:
    """Run nginx from Debian; return its URL and the folder that it serves."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    port, files = free_port(), tmp_path / "files"
    files.mkdir()
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"user root; daemon off; master_process off; pid {tmp_path}/pid; error_log stderr;"
        f"events {{}} http {{ access_log off; {temporary} sendfile on; server {{"
        f"listen 127.0.0.1:{port}; root {files}; limit_rate_after 256k;"
        f"location /slow/ {{ alias {files}/; limit_rate 100k; }} }} }}"
    )
    with subprocess.Popen(
        [program, "-c", config, "-p", tmp_path], stderr=subprocess.DEVNULL
    ) as run:
        try:
            wait_until(lambda: is_listening(port))
            yield f"http://127.0.0.1:{port}", files
        finally:
            run.terminate()


def test_file_is_downloaded_from_nginx(nginx):
    base, files = nginx
    (files / f"net-{SHA[:8]}.pth").write_bytes(BODY)
    assert download(f"{base}/net-{SHA[:8]}.pth").read_bytes() == BODY
    with pytest.raises(DownloadError, match="404"):
        download(f"{base}/none.pth")


def test_nginx_download_resumes_after_a_kill(nginx):
    base, files = nginx
    (files / "net.pth").write_bytes(BODY)
    url = f"{base}/slow/net.pth"
    program = f"from brickwork_zoo import download; download({url!r})"
    home = Path(os.environ["BRICKWORK_HOME"])
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        end = time.monotonic() + 20
        while not any(p.stat().st_size > 200_000 for p in home.rglob(".*.part")):
            assert time.monotonic() < end
            time.sleep(0.01)
        process.kill()
    seen = []
    assert download(url, progress=lambda done, _: seen.append(done)).read_bytes() == BODY
    assert seen[0] > 200_000


@pytest.fixture
def bucket(monkeypatch) -> Iterator[None]:
    """Run moto's server, if moto and s3fs are installed."""
    s3fs = pytest.importorskip("s3fs")
    pytest.importorskip("moto")
    s3fs.S3FileSystem.clear_instance_cache()  # it remembers the port of the test before
    port = free_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as run:
        try:
            wait_until(lambda: is_listening(port))
            yield
        finally:
            run.terminate()


BIG = random.Random(1).randbytes(24_000_000)  # s3fs reads 5 MB ahead
KILLED = """
import os, signal, sys
from brickwork_zoo import download

def kill(done, _):
    if done > 12_000_000:
        os.kill(os.getpid(), signal.SIGKILL)

download(sys.argv[1], sha256=sys.argv[2] or None, progress=kill)
"""


@pytest.fixture
def store(bucket):
    """Return the object store, with a bucket in it."""
    store = pytest.importorskip("s3fs").S3FileSystem()
    store.mkdir("bucket")
    return store


@pytest.mark.filterwarnings("ignore")  # raised by third-party libraries
@pytest.mark.parametrize("scheme", ["s3", "S3"])
def test_file_is_downloaded_from_s3(store, scheme):
    store.pipe_file("bucket/models/net.pth", BODY)
    url = f"{scheme}://bucket/models/net.pth"
    assert download(url, sha256=SHA).read_bytes() == BODY
    assert download(url).name == "net.pth"
    assert download(url) == download("s3://bucket/models/net.pth")
    with pytest.raises(DownloadError, match="expected"):
        download(url, sha256="0" * 64)
    with pytest.raises(DownloadError, match="FileNotFoundError"):
        download("s3://bucket/none.pth")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("change", ["none", "same bytes", "other bytes"])
def test_s3_download_resumes_after_a_kill_if_the_object_is_unchanged(store, known, change):
    content = BIG[::-1] if change == "other bytes" else BIG
    store.pipe_file("bucket/net.pth", content)
    sha256 = hashlib.sha256(BIG).hexdigest() if known else ""
    command = [sys.executable, "-c", KILLED, "s3://bucket/net.pth", sha256]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr
    if change != "none":
        store.pipe_file("bucket/net.pth", BIG)
    progress = []
    path = download(
        "s3://bucket/net.pth", sha256=sha256 or None, progress=lambda done, _: progress.append(done)
    )
    assert path.read_bytes() == BIG
    assert (progress[0] > 12_000_000) == (change != "other bytes")
    assert [p for p in path.parent.iterdir() if ".part" in p.name] == []
