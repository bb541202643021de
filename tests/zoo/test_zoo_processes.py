"""Concurrent and killed processes, failing locks, read-only caches."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brickwork_zoo import download
from filelock import FileLock

from tests.support.waiting import wait_until

BODY = random.Random(0).randbytes(1_500_000)
SHA = hashlib.sha256(BODY).hexdigest()

FETCH = """
import sys
from brickwork_zoo import download
path = download(sys.argv[1], sha256=sys.argv[2] or None)
print(path)
"""
# What a file system without locks does, put before the program that fetches.
NO_LOCKS = {
    "ENOSYS": "import fcntl\ndef flock(*_): raise OSError(38, 'not implemented')\n"
    "fcntl.flock = flock\n",
    "ENOLCK": "import fcntl\ndef flock(*_): raise OSError(37, 'no locks available')\n"
    "fcntl.flock = flock\n",
    "nothing": "import fcntl\nfcntl.flock = lambda *_: None\n",
}

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Start:
    """Start processes; those still running are killed when the test ends."""
    running: list[subprocess.Popen[str]] = []

    def begin(url: str, sha256: str = "", *, before: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", before + FETCH, url, sha256],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def paths(processes: list[subprocess.Popen[str]]) -> set[Path]:
    paths = set()
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        paths.add(Path(out.strip()))
    return paths


def leftovers() -> list[Path]:
    home = Path(os.environ["BRICKWORK_HOME"])
    kept = (".lock", ".record.json", ".sha256", "net.pth")
    return [p for p in home.rglob("*") if p.is_file() and p.name not in kept]


def test_concurrent_processes_download_a_file_once(site, faults, start):
    site.always["/net.pth"] = faults.trickle(100_000, 0.05)
    url = site.url("/net.pth", BODY)
    (path,) = paths([start(url) for _ in range(8)])
    assert path.read_bytes() == BODY
    assert site.asked() == 1
    assert leftovers() == []


@pytest.mark.parametrize("locks", NO_LOCKS)
def test_concurrent_processes_without_locks_get_the_right_file(site, faults, start, locks):
    site.always["/net.pth"] = faults.trickle(100_000, 0.02)
    url = site.url("/net.pth", BODY)
    (path,) = paths([start(url, before=NO_LOCKS[locks]) for _ in range(8)])
    assert path.read_bytes() == BODY
    assert leftovers() == []


@pytest.mark.parametrize("method", ["__init__", "acquire", "release"])
@pytest.mark.parametrize(
    "error",
    [OSError(38, "ENOSYS"), OSError(37, "ENOLCK"), NotImplementedError("flock"), RuntimeError("?")],
)
def test_failing_lock_does_not_fail_the_download(site, monkeypatch, method, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(
        "brickwork_zoo._fetch._lock.FileLock", type("Bad", (FileLock,), {method: fail})
    )
    assert download(site.url("/net.pth", BODY)).read_bytes() == BODY
    assert site.asked() == 1


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("known", [SHA, ""])
def test_killed_processes_leave_a_partial_file_to_resume(site, faults, start, seed, known):
    chance = random.Random(seed)
    site.always["/net.pth"] = faults.trickle(25_000, 0.03)  # 1.8 s for the whole
    url = site.url("/net.pth", BODY)
    for _ in range(3):
        before = site.asked()
        process = start(url, known)
        wait_until(lambda before=before: site.asked() > before)
        time.sleep(chance.uniform(0, 0.4))
        process.kill()
        process.communicate()
    del site.always["/net.pth"]
    (path,) = paths([start(url, known)])
    assert path.read_bytes() == BODY
    assert leftovers() == []
    assert any("Range" in headers for _, headers in site.requests)


# Kills itself before the n-th executed line of the zoo's code, or prints the number of lines.
AT_A_LINE = """
import os, signal, sys
from brickwork_zoo import download
from brickwork_zoo._fetch import _attempt, _cache, _download, _lock, _partial, _transfer

files = {m.__file__ for m in (_attempt, _cache, _download, _lock, _partial, _transfer)}
last, count = int(sys.argv[3]), 0

def trace(frame, event, argument):
    global count
    if frame.f_code.co_filename not in files:
        return None
    if event == "line":
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)
    return trace

sys.settrace(trace)
path = download(sys.argv[1], sha256=sys.argv[2] or None)
sys.settrace(None)
print(path if last else count)
"""


@pytest.mark.slow
@pytest.mark.parametrize("known", [SHA, ""])
def test_process_killed_at_any_line_leaves_a_usable_cache(
    site, faults, known, monkeypatch, tmp_path
):
    url = site.url("/net.pth", BODY)

    def run(last: int) -> subprocess.CompletedProcess[str]:
        site.faults["/net.pth"] = [faults.cut(300_000)]  # so that there is a partial file to resume
        command = [sys.executable, "-c", AT_A_LINE, url, known, str(last)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    lines = int(run(0).stdout)
    assert lines > 200
    for part in range(1, 8):
        monkeypatch.setenv("BRICKWORK_HOME", str(tmp_path / str(part)))
        assert run(lines * part // 8).returncode == -signal.SIGKILL
        site.faults["/net.pth"] = []
        assert download(url, sha256=known or None).read_bytes() == BODY
        assert leftovers() == []


def test_killed_lock_holder_does_not_block_waiters(site, faults, start):
    site.always["/net.pth"] = faults.trickle(50_000, 0.05)
    url = site.url("/net.pth", BODY)
    holder = start(url)
    wait_until(lambda: site.asked())
    waiters = [start(url) for _ in range(3)]
    time.sleep(0.7)
    holder.kill()
    (path,) = paths(waiters)
    assert path.read_bytes() == BODY
    assert site.asked() == 2
    assert "Range" in site.requests[1][1]
    assert leftovers() == []


def test_stale_soft_lock_is_ignored(site, start, monkeypatch):
    monkeypatch.setenv("BRICKWORK_TIMEOUT", "0.2")
    url = site.url("/net.pth", BODY)
    (path,) = paths([start(url, before=NO_LOCKS["ENOSYS"])])
    path.unlink()
    path.with_name(".lock").write_text("1\nsome-other-machine\n")
    (path,) = paths([start(url, before=NO_LOCKS["ENOSYS"])])
    assert path.read_bytes() == BODY


def test_waiters_wait_while_the_holder_makes_progress(site, faults, start, monkeypatch):
    # The download takes much longer than waiters wait for an idle lock holder.
    monkeypatch.setenv("BRICKWORK_TIMEOUT", "0.3")
    site.always["/net.pth"] = faults.trickle(50_000, 0.1)
    url = site.url("/net.pth", BODY)
    processes = [start(url)]
    wait_until(lambda: site.asked())
    processes += [start(url), start(url)]
    (path,) = paths(processes)
    assert path.read_bytes() == BODY
    assert site.asked() == 1


@pytest.mark.parametrize("locks", ["", "ENOSYS"])
def test_waiters_notice_progress_of_a_slow_holder(site, faults, start, monkeypatch, locks):
    # The download takes 3 s in small pieces; waiters wait 1.4 s for an idle lock holder.
    monkeypatch.setenv("BRICKWORK_TIMEOUT", "0.2")
    content = BODY[:6000]
    site.always["/net.pth"] = faults.trickle(200, 0.1)
    url = site.url("/net.pth", content)
    holder = start(url, before=NO_LOCKS.get(locks, ""))
    wait_until(lambda: site.asked())
    (path,) = paths([holder, start(url, before=NO_LOCKS.get(locks, ""))])
    assert path.read_bytes() == content
    assert site.asked() == 1


def test_stopped_lock_holder_does_not_block_waiters(site, faults, start, monkeypatch):
    monkeypatch.setenv("BRICKWORK_TIMEOUT", "0.3")
    site.faults["/net.pth"] = [faults.trickle(50_000, 0.05)]
    url = site.url("/net.pth", BODY)
    holder = start(url)
    wait_until(lambda: site.asked())
    time.sleep(0.2)
    holder.send_signal(signal.SIGSTOP)
    try:
        (path,) = paths([start(url) for _ in range(3)])
        assert path.read_bytes() == BODY
    finally:
        holder.send_signal(signal.SIGCONT)
    assert paths([holder]) == {path}
    assert path.read_bytes() == BODY
    assert leftovers() == []


@pytest.mark.usefixtures("interruptible")
def test_interrupted_process_leaves_a_partial_file_to_resume(site, faults, start):
    site.faults["/net.pth"] = [faults.trickle(50_000, 0.05)]
    url = site.url("/net.pth", BODY)
    process = start(url)
    wait_until(lambda: any(p.stat().st_size > 200_000 for p in leftovers()))
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=20)[1]
    (path,) = paths([start(url)])
    assert path.read_bytes() == BODY
    assert "Range" in site.requests[-1][1]
    assert leftovers() == []


NOBODY = 65534 if os.getuid() == 0 else os.getuid()
UNPRIVILEGED = f"""
import os, sys
import filelock, requests, tqdm, encodings.idna, logging, tempfile  # while they can be read
from brickwork_zoo import download
from brickwork_zoo._fetch import _cache, _download
if os.getuid() == 0:
    os.setgid({NOBODY}); os.setuid({NOBODY})
print(download(sys.argv[1], progress=False))
"""


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Return a folder that every user can write to; pytest's temporary folders are private."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


def test_read_only_cache_is_used_and_not_required(site, start, public_folder, monkeypatch):
    home = public_folder / "home"
    monkeypatch.setenv("BRICKWORK_HOME", str(home))
    url = site.url(f"/net-{SHA[:8]}.pth", BODY)
    (path,) = paths([start(url)])
    for item in (home, *home.rglob("*")):
        item.chmod(0o555 if item.is_dir() else 0o444)
    monkeypatch.setenv("TMPDIR", str(public_folder))

    def run(url: str) -> Path:
        done = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, url], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return Path(done.stdout.strip())

    try:
        site.requests.clear()
        assert run(url) == path
        assert path.with_name(".record.json").stat().st_mode & 0o444 == 0o444
        path.with_name(".record.json").chmod(0)  # no record that it could read
        assert run(url) == path
        assert site.asked() == 0
        path.chmod(0)  # nor the file
        downloaded = run(url)
        assert downloaded.is_relative_to(public_folder / f"brickwork-{NOBODY}")
        assert downloaded.read_bytes() == BODY
        path.chmod(0o444)
        site.requests.clear()
        other = site.url("/other.pth", BODY)
        downloaded = run(other)
        assert downloaded.is_relative_to(public_folder / f"brickwork-{NOBODY}")
        assert downloaded.read_bytes() == BODY
        assert run(other) == downloaded
        assert site.asked() == 1
    finally:
        for item in (home, *home.rglob("*")):
            item.chmod(0o755)
