"""Settings: argument, environment, file, default, in this order and at each call."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from brickwork_zoo._find._mirrors import with_mirrors
from brickwork_zoo._settings import Settings, user_catalog_folders
from brickwork_zoo.errors import InvalidInputError


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    for name in ("BACKOFF", "TIMEOUT", "RETRIES"):
        monkeypatch.delenv(f"BRICKWORK_{name}", raising=False)


def test_argument_overrides_environment_overrides_file(monkeypatch):
    home = Path(os.environ["BRICKWORK_HOME"])
    assert Settings.read().timeout == 30
    (home / "config.toml").write_text('timeout = 7\n[mirrors]\n"a.org" = ["b.org", "c.org"]\n')
    assert Settings.read().timeout == 7
    assert Settings.read().mirrors == (("a.org", "b.org"), ("a.org", "c.org"))
    monkeypatch.setenv("BRICKWORK_TIMEOUT", "5.5")
    assert Settings.read().timeout == 5.5
    assert Settings.read(timeout=3).timeout == 3
    monkeypatch.setenv("BRICKWORK_TIMEOUT", "")
    assert Settings.read().timeout == 7


def test_home_comes_from_environment_or_user_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings.read().home == Path(os.environ["BRICKWORK_HOME"])
    monkeypatch.setenv("BRICKWORK_HOME", "~/zoo")
    assert Settings.read().home == tmp_path / "zoo"
    monkeypatch.delenv("BRICKWORK_HOME")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert Settings.read().home == tmp_path / ".cache" / "brickwork"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert Settings.read().home == tmp_path / "xdg" / "brickwork"
    config = tmp_path / "config" / "brickwork" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("retries = 9\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert Settings.read().retries == 9


def test_user_without_home_gets_a_temporary_one(monkeypatch, tmp_path):
    # As for a container's user without a passwd entry: "~" is not expanded.
    monkeypatch.setattr("os.path.expanduser", str)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert Settings.read().home == Path(os.environ["BRICKWORK_HOME"])
    for name in ("BRICKWORK_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert Settings.read().home == tmp_path / f"brickwork-{os.getuid()}"
    assert user_catalog_folders() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout", "0"),
        ("timeout", "-1"),
        ("timeout", "inf"),
        ("timeout", "soon"),
        ("retries", "-1"),
        ("retries", "1.5"),
        ("backoff", "-0.1"),
        ("offline", "perhaps"),
        ("mirrors", "a.org"),
        ("mirrors", "=b.org"),
    ],
)
def test_invalid_value_error_names_its_source(name, value, monkeypatch):
    variable = f"BRICKWORK_{name.upper()}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidInputError, match=variable):
        Settings.read()
    monkeypatch.delenv(variable)
    with pytest.raises(InvalidInputError, match=f"^{name} must be"):
        Settings.read(**{name: value})


@pytest.mark.parametrize("text", ["timeout = ", "speed = 1\n", "timeout = 'x'\n"])
def test_invalid_settings_file_error_names_the_file(text):
    file = Path(os.environ["BRICKWORK_HOME"]) / "config.toml"
    file.write_text(text)
    with pytest.raises(InvalidInputError, match=r"config\.toml"):
        Settings.read()


@pytest.mark.parametrize(
    ("value", "offline"), [("1", True), ("0", False), ("yes", True), ("FALSE", False), ("", False)]
)
def test_boolean_setting_accepts_several_spellings(value, offline, monkeypatch):
    monkeypatch.setenv("BRICKWORK_OFFLINE", value)
    assert Settings.read().offline is offline


PLACE = "https://a.org/x/net.pth?v=1"


@pytest.mark.parametrize(
    ("rules", "urls"),
    [
        ("a.org=b.org", ["https://b.org/x/net.pth?v=1", PLACE]),
        ("a.org=http://b.org:80/y/", ["http://b.org:80/y/x/net.pth?v=1", PLACE]),
        ("https://a.org/x=https://b.org", ["https://b.org/net.pth?v=1", PLACE]),
        (
            "a.org=b.org a.org=c.org",
            ["https://b.org/x/net.pth?v=1", "https://c.org/x/net.pth?v=1", PLACE],
        ),
        ("a.org=b.org,a.org=", ["https://b.org/x/net.pth?v=1"]),
        ("a.org=", []),
        ("org=b.org", [PLACE]),
        ("https://a.org/x/n=https://b.org", [PLACE]),
        ("a.org=a.org", [PLACE]),
        ("A.Org=b.org", ["https://b.org/x/net.pth?v=1", PLACE]),
        ("HTTPS://A.org/x=https://b.org", ["https://b.org/net.pth?v=1", PLACE]),
    ],
)
def test_mirrors_rewrite_hosts_and_url_prefixes(rules, urls, monkeypatch):
    monkeypatch.setenv("BRICKWORK_MIRRORS", rules)
    assert list(with_mirrors((PLACE,), Settings.read().mirrors)) == urls
