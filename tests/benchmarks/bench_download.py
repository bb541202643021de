"""Cost of downloading and verifying a large file, relative to a bare socket, and the peers'.

A process of its own serves the file on loopback. Every number comes from a fresh process that has
downloaded a small file before, so that imports do not count; the contenders alternate.

The floor reads a socket into a buffer of the file's size and hashes it in a second thread. Another
contender writes to disk instead, through a few small buffers, which shows the share of the disk.
"Memory" is the growth of a process during the download.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import queue
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from harness import FLOOR, OURS, Row

MEGABYTE = 10**6
BLOCK = 1 << 20


def connect(url: str) -> tuple[socket.socket, int, bytes]:
    """Request a file and return the socket, the file's length and the bytes received so far."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port))
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    connection.sendall(request.encode())
    start = b""
    while b"\r\n\r\n" not in start:
        start += connection.recv(1024)
    head, _, body = start.partition(b"\r\n\r\n")
    length = next(
        line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
    )
    return connection, int(length.split()[1]), body


def floor(url: str, folder: Path, sha256: str) -> None:
    """Read into one buffer for the file and hash received parts in a second thread."""
    connection, length, body = connect(url)
    buffer = memoryview(bytearray(length))
    arrived: queue.SimpleQueue[memoryview] = queue.SimpleQueue()
    digest = hashlib.sha256()

    def work() -> None:
        while block := arrived.get():
            digest.update(block)

    thread = threading.Thread(target=work)
    thread.start()
    buffer[: len(body)] = body
    done, hashed = len(body), 0
    while done < length:
        done += connection.recv_into(buffer[done : done + BLOCK])
        if done - hashed >= BLOCK or done == length:
            arrived.put(buffer[hashed:done])
            hashed = done
    arrived.put(memoryview(b""))
    thread.join()
    connection.close()
    if digest.hexdigest() != sha256:
        raise SystemExit("wrong hash")


def to_disk(url: str, folder: Path, sha256: str) -> None:
    """Read into a few buffers, write each to disk and hash it in a second thread."""
    connection, length, body = connect(url)
    full: queue.SimpleQueue[memoryview] = queue.SimpleQueue()
    empty: queue.SimpleQueue[bytearray] = queue.SimpleQueue()
    for _ in range(4):
        empty.put(bytearray(BLOCK))
    digest = hashlib.sha256()

    def work() -> None:
        while block := full.get():
            digest.update(block)
            empty.put(block.obj)  # type: ignore[arg-type]  # the viewed bytearray

    thread = threading.Thread(target=work)
    thread.start()
    with (folder / "file").open("wb", buffering=0) as file:
        file.write(body)
        digest.update(body)
        done = len(body)
        while done < length:
            view, count = memoryview(empty.get()), 0
            while count < BLOCK and (received := connection.recv_into(view[count:])):
                count += received
            full.put(view[:count])
            file.write(view[:count])
            done += count
    full.put(memoryview(b""))
    thread.join()
    connection.close()
    if digest.hexdigest() != sha256:
        raise SystemExit("wrong hash")


def brickwork(url: str, folder: Path, sha256: str) -> None:
    from brickwork_zoo import download

    download(url, sha256=sha256, home=folder, progress=False)


def torch_hub(url: str, folder: Path, sha256: str) -> None:
    from torch.hub import download_url_to_file

    download_url_to_file(url, str(folder / "file"), hash_prefix=sha256, progress=False)


def pooch(url: str, folder: Path, sha256: str) -> None:
    import pooch

    pooch.get_logger().setLevel("ERROR")
    pooch.retrieve(url, known_hash=sha256, path=folder)


CONTENDERS: dict[str, tuple[Callable[[str, Path, str], None], str | None]] = {
    FLOOR: (floor, None),
    "bare socket to disk": (to_disk, None),
    OURS: (brickwork, "brickwork_zoo"),
    "torch.hub": (torch_hub, "torch"),
    "pooch": (pooch, "pooch"),
}


def serve(folder: Path) -> None:
    """Serve files of a folder with sendfile, one connection at a time; print the port first."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            with connection:
                data = connection.recv(1 << 16)
                if not data:
                    continue
                path = folder / data.split()[1].decode().strip("/")
                with path.open("rb") as file:
                    size = path.stat().st_size
                    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
                    connection.sendall(head.encode())
                    connection.sendfile(file)


def peak() -> float:
    """Return the peak memory of this process in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    line = next(line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measure(name: str, base: str, small: str, large: str) -> None:
    """Download a file with one contender and print the cost."""
    fetch = CONTENDERS[name][0]
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        fetch(f"{base}/small", Path(first), small)
        Path("/proc/self/clear_refs").write_text("5")  # reset the peak, see proc(5)
        memory = peak()
        before = resource.getrusage(resource.RUSAGE_SELF)
        start = time.perf_counter()
        fetch(f"{base}/large", Path(second), large)
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"seconds": seconds, "cpu": cpu, "memory": peak() - memory}))


def measured(megabytes: int, count: int) -> dict[str, dict[str, float]]:
    """Return the medians of rounds in which the contenders alternate."""
    names = [n for n, (_, m) in CONTENDERS.items() if m is None or importlib.util.find_spec(m)]
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        hashes = []
        for name, size in (("small", 1000), ("large", megabytes * MEGABYTE)):
            (folder / name).write_bytes(os.urandom(size))
            hashes.append(hashlib.sha256((folder / name).read_bytes()).hexdigest())
        command = [sys.executable, __file__]
        server = subprocess.Popen(
            [*command, "--serve", folder_name], stdout=subprocess.PIPE, text=True
        )
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            base = f"http://127.0.0.1:{port}"
            results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
            for _ in range(count):
                for name in names:
                    done = subprocess.run(
                        [*command, "--measure", name, base, *hashes],
                        capture_output=True,
                        text=True,
                        check=True,
                    )
                    results[name].append(json.loads(done.stdout))
        finally:
            server.kill()
            server.wait()
    return {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in results.items()
    }


def rows(rounds: int = 5, megabytes: int = 500) -> Iterator[Row]:
    """Measure time, CPU seconds and memory of one verified download."""
    table = measured(megabytes, rounds)
    cost, floor = f"download of {megabytes} MB, verified", "bare socket, hashed in a thread"
    for key, scale, unit, what, at_most in (
        ("seconds", 1e3, "ms", "", 1.2),
        ("cpu", 1e3, "ms", ", CPU time", 1.15),
    ):
        values = {name: row[key] * scale for name, row in table.items()}
        yield Row(cost + what, floor, unit, values, at_most=at_most)
    # The floor keeps the complete file in memory, so the limit is a fixed size instead.
    values = {name: row["memory"] for name, row in table.items()} | {FLOOR: 32.0}
    yield Row(cost + ", memory", "32 MB", "MB", values, at_most=1.0)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(Path(sys.argv[2]))
    else:
        measure(*sys.argv[2:])
