"""The command line: output and exit codes."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tarfile
import termios
import time
from contextlib import suppress
from pathlib import Path

import brickwork_zoo
import pytest
from brickwork_zoo._cli._main import main
from brickwork_zoo._cli._output import print_table

BODY = os.urandom(100_000)
SHA = hashlib.sha256(BODY).hexdigest()
COMMANDS = (
    *("list", "info", "download", "prefetch", "verify", "inspect", "convert", "cache"),
    "check-links",
)


@pytest.fixture
def run(capsys):
    """Run a command; return its exit code, standard output and standard error."""

    def call(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, json.loads(out) if "--json" in words and out else out, err

    return call


@pytest.mark.parametrize("command", [*COMMANDS, None])
def test_every_command_has_help(run, command):
    code, out, _ = run(*[command] * bool(command), "--help")
    assert code == 0
    assert "--json" in out or all(name in out for name in COMMANDS)


def test_wrong_usage_exits_with_2(run, site, tmp_path):
    assert run()[0] == 2
    assert run("lst")[0] == 2
    assert run("list", "--max-params", "many")[0] == 2
    assert run("download", "a", "b", "--sha256", SHA)[0] == 2
    assert run("info", "nothing://x")[0] == 2
    assert run("download", "nothing://x")[0] == 2
    assert run("download", "http://127.0.0.1:1/x", "--timeout", "0")[0] == 2
    assert run("verify", "a", "b", "--sha256", SHA)[0] == 2
    assert run("verify", "nothing://x")[0] == 2
    assert run("cache", "list", "net.pth")[0] == 2
    assert run("check-links", __file__)[0] == 2
    for wrong in (__file__, "nothing://x"):
        good = site.url("/net.pth", BODY)
        assert run("prefetch", good, wrong, "--to", tmp_path / "bundle")[0] == 2
    assert not (tmp_path / "bundle").exists()
    assert not site.requests
    assert run("--version")[:2] == (0, f"brickwork-zoo {brickwork_zoo.__version__}\n")


def test_list_prints_matching_models(run):
    code, out, _ = run("list", "resnet50", "--source", "torchvision", "--min-acc1", "80")
    assert code == 0
    head, *rows = out.splitlines()
    assert head.split() == ["uri", "family", "params", "size", "acc@1"]
    assert [row.split()[0] for row in rows] == [
        "torchvision://resnet50.imagenet1k_v2",
        "torchvision://wide_resnet50_2.imagenet1k_v2",
    ]
    code, models, _ = run("list", "--json", "--family", "vgg", "--max-size", "550MB")
    assert [m["uri"] for m in models] == [
        f"torchvision://vgg{kind}.imagenet1k_v1" for kind in ("11", "11_bn", "13", "13_bn")
    ]


@pytest.mark.parametrize(
    ("amount", "most"), [("30M", 30e6), ("30000k", 30e6), ("3e7", 3e7), ("25MiB", 25 * 2**20)]
)
def test_amount_option_accepts_units(run, amount, most):
    _, models, _ = run("list", "--json", "--source", "torchvision", "--max-params", amount)
    wanted = [m.uri for m in brickwork_zoo.list_models(source="torchvision", max_params=most)]
    assert [model["uri"] for model in models] == wanted


@pytest.mark.parametrize(
    ("words", "close"),
    [
        (["resnet5O"], "://resnet50"),
        (["--family", "resnett"], "resnet"),
        (["--family", "zzz"], "VGG"),
        (["vgg16", "--max-params", "1"], "vgg16"),
    ],
)
def test_list_without_match_suggests_similar_models(run, words, close):
    code, out, err = run("list", *words)
    assert (code, out) == (1, "")
    assert err.startswith("brickwork-zoo: no model matches")
    assert close in err
    assert run("list", "--json", *words)[:2] == (1, [])


def test_info_prints_facts_of_a_model_or_url(run):
    code, out, _ = run("info", "torchvision://resnet50")
    assert code == 0
    assert "0676ba61" in out
    assert "url  https://download.pytorch.org/models/resnet50-0676ba61.pth" in out
    code, facts, _ = run("info", "--json", "https://a.org/net-5793a424.pth")
    assert facts["sha256"] == "5793a424"
    code, _, err = run("info", "torchvision://resnet5")
    assert code == 1
    assert "resnet50" in err


def test_download_prints_paths(run, site):
    urls = [site.url(f"/{n}.pth", n.encode()) for n in "ab"]
    code, out, _ = run("download", *urls)
    assert code == 0
    assert [Path(line).read_text() for line in out.splitlines()] == ["a", "b"]
    code, out, err = run("download", urls[0], site.url("/none.pth"), urls[1])
    assert code == 1
    assert len(out.splitlines()) == 2
    assert "404" in err
    code, output, _ = run("download", "--json", urls[0], site.url("/none.pth"))
    assert code == 1
    assert Path(output["files"][urls[0]]).read_text() == "a"
    assert list(output["errors"]) == [site.url("/none.pth")]
    assert run("download", "--offline", site.url("/new.pth", b"x"))[0] == 1
    secret = site.url("/none.pth").replace("://", "://me:secret@")
    _, output, _ = run("download", "--json", secret, "nothing://x", "torchvision://resnet5")
    assert list(output["errors"]) == [secret, "nothing://x", "torchvision://resnet5"]
    assert "secret" not in "".join(output["errors"].values())


def test_error_is_printed_as_json_with_json_option(run):
    code, output, err = run("inspect", "--json", "nothing.pth")
    assert code == 1
    assert output["error"] == "MissingFileError"
    assert output["message"] in err


def test_prefetched_bundle_works_as_home_offline(run, site, tmp_path, monkeypatch):
    url, other = site.url(f"/net-{SHA[:8]}.pth", BODY), site.url("/b.pth", b"b")
    assert run("download", url)[0] == 0
    code, out, _ = run("prefetch", "--to", tmp_path / "bundle", url, other)
    assert code == 0
    assert site.asked() == 2
    sums = dict(map(str.split, (tmp_path / "bundle" / "SHA256SUMS").read_text().splitlines()))
    assert set(sums) == {SHA, hashlib.sha256(b"b").hexdigest()}
    checked = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    subprocess.run(checked, cwd=tmp_path / "bundle", check=True)
    assert url in (tmp_path / "bundle" / "README.txt").read_text()

    code, _, _ = run("prefetch", "--to", tmp_path / "carry.tar", url, other)
    assert code == 0
    with tarfile.open(tmp_path / "carry.tar") as archive:
        archive.extractall(tmp_path / "there", filter="data")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bundle", "carry.tar", "there"]
    monkeypatch.setenv("BRICKWORK_OFFLINE", "1")
    for home in (tmp_path / "bundle", tmp_path / "there" / "carry"):
        monkeypatch.setenv("BRICKWORK_HOME", str(home))
        code, out, _ = run("download", url, other)
        assert code == 0
        assert [Path(line).read_bytes() for line in out.splitlines()] == [BODY, b"b"]


def test_bundle_contains_all_files_and_can_be_extended(run, site, tmp_path):
    """Files of torch.hub are copied into the bundle too, and files of earlier calls stay."""
    folder = Path(os.environ["TORCH_HOME"]) / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    name = f"net-{SHA[:8]}.pth"
    (folder / name).write_bytes(BODY)
    urls = [site.url(f"/{name}"), site.url("/b.pth", b"b")]
    for url in urls:
        code, out, _ = run("prefetch", "--to", tmp_path / "bundle", url)
        assert code == 0
        assert Path(out.strip()).is_relative_to(tmp_path / "bundle")
    assert site.asked() == 1
    checked = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(
        checked, cwd=tmp_path / "bundle", check=True, capture_output=True, text=True
    )
    assert done.stdout.count("OK") == 2
    text = (tmp_path / "bundle" / "README.txt").read_text()
    assert all(url in text for url in urls)


def test_bundle_contains_the_shards_of_an_index(run, site, tmp_path, monkeypatch):
    shards = {f"net-{n}-of-2.safetensors": bytes([n]) * 9 for n in (1, 2)}
    index = {"weight_map": {f"key{n}": name for n, name in enumerate(shards)}}
    url = site.url("/m/net.safetensors.index.json", json.dumps(index).encode())
    urls = [site.url(f"/m/{name}", content) for name, content in shards.items()]
    assert run("prefetch", "--to", tmp_path / "bundle", url)[0] == 0
    monkeypatch.setenv("BRICKWORK_HOME", str(tmp_path / "bundle"))
    monkeypatch.setenv("BRICKWORK_OFFLINE", "1")
    _, out, _ = run("download", *urls)
    assert [Path(line).read_bytes() for line in out.splitlines()] == list(shards.values())


@pytest.mark.parametrize("target", ["file", "file/x.tar"])
def test_unwritable_bundle_exits_with_1(run, site, tmp_path, target):
    (tmp_path / "file").write_text("in the way")
    code, _, err = run("prefetch", "--to", tmp_path / target, site.url("/b.pth", b"b"))
    assert code == 1
    assert "cannot write" in err
    assert not site.requests


def test_compressed_bundle_exits_with_2(run, site, tmp_path):
    code, _, err = run("prefetch", "--to", tmp_path / "x.tar.gz", site.url("/b.pth", b"b"))
    assert code == 2
    assert "must be a folder or end in .tar" in err
    assert not (tmp_path / "x.tar.gz").exists()


def test_following_the_hint_about_a_wrong_hash_works_for_a_bundle(run, site, tmp_path):
    url = site.url("/net-deadbeef.pth", BODY)
    prefetch = ("prefetch", url, "--to", tmp_path / "bundle")
    code, _, err = run(*prefetch)
    assert code == 1
    hint = re.search(r"`brickwork-zoo (download .*)`", err)
    assert run(*hint[1].split())[0] == 0
    assert run(*prefetch)[0] == 0
    assert (tmp_path / "bundle" / "checkpoints" / SHA / "net-deadbeef.pth").exists()


def test_credentials_of_mirrors_are_not_shown(run, monkeypatch):
    monkeypatch.setenv("BRICKWORK_MIRRORS", "a.org=https://me:secret@b.org")
    assert "me:***@b.org" in run("info", "https://a.org/net.pth")[1]
    assert "secret" not in json.dumps(run("info", "--json", "https://a.org/net.pth")[1])


def test_torch_hub_file_is_verified_in_place(run, site):
    folder = Path(os.environ["TORCH_HOME"]) / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    path = folder / f"net-{SHA[:8]}.pth"
    path.write_bytes(BODY)
    url = site.url(f"/{path.name}")
    assert run("download", url)[:2] == (0, f"{path}\n")
    assert run("verify", url)[:2] == (0, f"{SHA}  {path}  verified\n")
    path.write_bytes(BODY[1:])
    assert run("verify", url)[0] == 1


def test_verify_exit_code_depends_on_the_hash(run, site, tmp_path):
    url = site.url(f"/net-{SHA[:8]}.pth", BODY)
    assert run("verify", url)[0] == 1
    _, out, _ = run("download", url)
    path = Path(out.strip())
    code, out, _ = run("verify", url, path)
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [[SHA, str(path), "verified"]] * 2
    facts = path.stat()
    path.write_bytes(BODY[:-1] + b"?")
    os.utime(
        path, ns=(facts.st_atime_ns, facts.st_mtime_ns)
    )  # the cache record cannot show the change
    code, rows, _ = run("verify", "--json", url, path)
    assert code == 1
    assert [row["result"] for row in rows] == ["failed", "failed"]
    plain = tmp_path / "plain.pth"
    plain.write_bytes(BODY)
    assert "nothing to compare with" in run("verify", plain)[1]
    assert run("verify", plain, "--sha256", SHA)[0] == 0
    assert run("verify", plain, "--sha256", "0" * 64)[0] == 1
    changed = site.url("/changes.pth", b"1")
    Path(run("download", changed)[1].strip()).write_bytes(b"2")
    assert run("verify", changed)[0] == 1


def test_cache_lists_and_prunes_files(run, site, faults):
    urls = [site.url(f"/{n}.pth", n.encode()) for n in "ab"]
    run("download", *urls)
    site.faults["/c.pth"] = [faults.cut(50_000)]
    run("download", site.url("/c.pth", BODY), "--retries", "0")
    _, out, _ = run("cache", "path")
    root = Path(out.strip())
    assert root == Path(os.environ["BRICKWORK_HOME"]) / "checkpoints"
    code, rows, _ = run("cache", "list", "--json")
    assert code == 0
    assert sorted(row["uri"] for row in rows) == urls
    assert run("cache")[1].count("pth") == 4
    assert list(root.rglob("*.part"))
    run("cache", "prune")
    assert not list(root.rglob("*.part"))
    assert len(run("cache", "list", "--json")[1]) == 2
    code, _, err = run("cache", "prune", urls[0], "none.pth")
    assert code == 1
    assert "none.pth" in err
    assert len(run("cache", "list", "--json")[1]) == 2
    _, output, _ = run("cache", "prune", urls[0], "--json")
    assert len(output["removed"]) == 1
    assert [row["uri"] for row in run("cache", "list", "--json")[1]] == [urls[1]]
    run("cache", "prune", "--all")
    assert list(root.iterdir()) == []
    assert run("cache", "list")[:2] == (0, "")


def test_check_links_reports_each_url_and_needs_a_network(run, site, monkeypatch):
    good, bad = site.url("/a.pth", BODY), site.url("/b.pth")
    code, out, _ = run("check-links", good, bad)
    assert code == 1
    assert [line.split()[0] for line in out.splitlines()] == ["result", "ok", "HTTP"]
    code, links, _ = run("check-links", good, "--json")
    assert code == 0
    assert links == [{"uri": good, "url": good, "problem": None, "size": len(BODY)}]
    site.requests.clear()
    monkeypatch.setenv("BRICKWORK_OFFLINE", "1")
    code, _, err = run("check-links", good)
    assert code == 1
    assert "BRICKWORK_OFFLINE" in err
    assert not site.requests


def test_inspect_lists_tensors_and_convert_writes_safetensors(run, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    weights = {"layer.weight": torch.arange(6.0).reshape(2, 3)}
    torch.save({"state_dict": weights, "epoch": 3}, "net.pth")
    code, out, _ = run("inspect", "net.pth")
    assert code == 0
    assert "state_dict/layer.weight" in out
    assert "2x3" in out
    assert "epoch" in out
    code, facts, _ = run("inspect", "net.pth", "--json")
    assert facts["tensors"][0]["shape"] == [2, 3]
    assert facts["nbytes"] == 24
    code, out, _ = run("convert", "net.pth")
    assert code == 0
    assert out == "net.safetensors\n"
    code, facts, _ = run("inspect", "net.safetensors", "--json")
    assert [tensor["key"] for tensor in facts["tensors"]] == ["layer.weight"]
    Path("broken.pth").write_bytes(b"not a checkpoint")
    for command in ("inspect", "convert"):
        code, _, err = run(command, "broken.pth")
        assert code == 1
        assert "broken.pth" in err


def test_module_runs_as_program(site):
    url = site.url("/net.pth", BODY)
    command = [sys.executable, "-m", "brickwork_zoo", "download", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).read_bytes() == BODY
    assert done.stderr == ""
    done = subprocess.run([*command[:-1], url + "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


PROGRAM = [sys.executable, "-m", "brickwork_zoo"]


@pytest.mark.parametrize("words", [["list"], ["list", "--json"], ["cache", "path"]])
def test_closed_output_pipe_prints_no_error(words):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out:
        done = subprocess.run([*PROGRAM, *words], stdout=out, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.usefixtures("interruptible")
def test_interrupted_download_exits_with_130_and_is_resumed(site, faults, run):
    site.faults["/net.pth"] = [faults.trickle(2000, 0.05)]
    url = site.url("/net.pth", BODY)
    home = Path(os.environ["BRICKWORK_HOME"])
    with subprocess.Popen([*PROGRAM, "download", url], stderr=subprocess.PIPE) as process:
        end = time.monotonic() + 20
        while not any(p.stat().st_size for p in home.rglob(".*.part")):
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b""
    assert process.returncode == 130
    code, out, _ = run("download", url)
    assert code == 0
    assert Path(out.strip()).read_bytes() == BODY
    assert "Range" in site.requests[-1][1]


def on_a_terminal(*words: str, **environment: str) -> str:
    """Run the program in a pseudo-terminal and return its output."""
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 120))
    env = {**os.environ, "TERM": "xterm-256color", **environment}
    with subprocess.Popen([*PROGRAM, *words], stdout=end, stderr=end, env=env):
        os.close(end)
        shown = b""
        with suppress(OSError):  # Linux raises this at the end of the output
            while block := os.read(terminal, 65536):
                shown += block
    os.close(terminal)
    return shown.decode()


def test_terminal_output_has_table_and_progress_bar(site):
    pytest.importorskip("rich")
    rich = on_a_terminal("list", "vgg11", "--source", "mmcls")
    assert "\x1b[" in rich
    assert "┃" in rich
    assert "mmcls://vgg11_bn" in rich
    assert "\x1b[" not in on_a_terminal("list", "vgg11", "--source", "mmcls", TERM="dumb")
    plain = on_a_terminal("list", "vgg11", "--source", "mmcls", NO_COLOR="1")
    assert "\x1b[3" not in plain  # no color; bold may be used
    url = site.url("/net.pth", BODY)
    assert "100%" in on_a_terminal("download", url)
    assert "%" not in on_a_terminal("download", "-q", site.url("/b.pth", BODY))


def test_terminal_without_rich_gets_a_plain_table(tmp_path):
    (tmp_path / "rich.py").write_text("raise ImportError")
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'rich' else find(name, *a)"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    shown = on_a_terminal("list", "vgg11", "--source", "mmcls", PYTHONPATH=path)
    assert "mmcls://vgg11_bn" in shown
    assert "\x1b" not in shown


def test_brackets_in_table_are_printed_literally(capsys, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    print_table(("name",), [("a[bold]b[/bold].pth",)])
    assert "a[bold]b[/bold].pth" in capsys.readouterr().out
