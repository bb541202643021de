"""Servers with trusted and untrusted certificates."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from brickwork_zoo import download
from brickwork_zoo.errors import DownloadError

BODY = os.urandom(100_000)
NAME = f"/net-{hashlib.sha256(BODY).hexdigest()[:8]}.pth"

# Name of a certificate -> subject, days of validity, issuer.
KINDS = {
    "good": ("IP:127.0.0.1", 2, "authority"),
    "expired": ("IP:127.0.0.1", -1, "authority"),
    "of another host": ("DNS:elsewhere.example", 2, "authority"),
    "self-signed": ("IP:127.0.0.1", 2, "itself"),
    "of an unknown authority": ("IP:127.0.0.1", 2, "unknown authority"),
}
BAD = [kind for kind in KINDS if kind != "good"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Path:
    """Create the certificates with openssl; return their folder."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*words: object) -> None:
        command = ["openssl", *map(str, words)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("authority", "unknown authority"):
        openssl("req", "-x509", *key, "-keyout", f"{name}.key", "-out", name, "-days", 2,
                "-subj", f"/CN={name}",
                # Python 3.13 verifies strictly: an authority must say that it signs certificates
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    for kind, (host, days, issuer) in KINDS.items():
        openssl("req", *key, "-keyout", "key", "-out", "request", "-subj", "/CN=x")
        (folder / "extensions").write_text(
            f"subjectAltName={host}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        )
        signed = (
            ["-signkey", "key"]
            if issuer == "itself"
            else ["-CA", issuer, "-CAkey", f"{issuer}.key", "-CAcreateserial"]
        )
        openssl("x509", "-req", "-in", "request", "-out", "certificate", "-days", days, *signed,
                "-extfile", "extensions")  # fmt: skip
        (folder / kind).write_text(
            "".join((folder / part).read_text() for part in ("key", "certificate"))
        )
    return folder


@pytest.fixture(autouse=True)
def _trust(certificates, monkeypatch):
    """Trust the test authority, as if it were that of a company."""
    for name in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "authority"))


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_authority_in_environment_is_trusted(make_site, certificates, monkeypatch, variable):
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv(variable, str(certificates / "authority"))
    assert download(make_site(certificates / "good").url(NAME, BODY)).read_bytes() == BODY
    monkeypatch.setenv(variable, str(certificates / "unknown authority"))
    with pytest.raises(DownloadError, match="not trusted"):
        download(make_site(certificates / "good").url("/other.pth", BODY), retries=0)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("expired", "expired"),
        ("of another host", "mismatch"),
        ("self-signed", "self-signed"),
        ("of an unknown authority", "unable to get local issuer"),
    ],
)
def test_bad_certificate_error_names_the_settings(make_site, certificates, kind, reason):
    site = make_site(certificates / kind)
    url = site.url(NAME, BODY)
    with pytest.raises(DownloadError, match=reason) as caught:
        download(url)
    (failure,) = caught.value.failures
    assert failure.url == url
    assert failure.attempts == 1  # asking again would not help
    assert failure.reason.startswith("TLS")
    for way in (url, "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "BRICKWORK_MIRRORS"):
        assert way in str(caught.value)
    assert not site.requests  # nothing was said to a host that is not the one meant


def test_bad_certificate_falls_back_to_the_next_url(make_site, certificates, monkeypatch):
    sites = [make_site(certificates / kind) for kind in (*BAD, "good")]
    hosts = [site.url(NAME, BODY).removeprefix("https://").partition("/")[0] for site in sites]
    monkeypatch.setenv("BRICKWORK_MIRRORS", ",".join(f"example.invalid={h}" for h in hosts))
    assert download(f"https://example.invalid{NAME}", retries=0).read_bytes() == BODY
    assert [site.asked() for site in sites] == [0, 0, 0, 0, 1]


def test_server_without_tls_gives_no_certificate_hint(site):
    with pytest.raises(DownloadError, match="TLS") as caught:
        download(site.url(NAME, BODY).replace("http:", "https:"))
    assert "REQUESTS_CA_BUNDLE" not in str(caught.value)
    assert caught.value.failures[0].attempts == 1


def test_redirect_to_a_bad_certificate_is_not_followed(make_site, faults, certificates, site):
    bad = make_site(certificates / "expired")
    site.always[NAME] = faults.status(302, Location=bad.url(NAME, BODY))
    with pytest.raises(DownloadError, match="expired"):
        download(site.url(NAME))
    assert not bad.requests


def test_cut_tls_connection_is_resumed(make_site, faults, certificates):
    site = make_site(certificates / "good")
    site.faults[NAME] = [faults.cut(30_000), faults.drop]
    assert download(site.url(NAME, BODY)).read_bytes() == BODY
    assert [headers.get("Range") for _, headers in site.requests] == [None, *["bytes=30000-"] * 2]


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_unreadable_certificate_bundle_is_reported(
    make_site, certificates, monkeypatch, tmp_path, variable, content
):
    bundle = tmp_path / "bundle.pem"
    if content:
        bundle.write_text(content)
    monkeypatch.setenv(variable, str(bundle))
    with pytest.raises(DownloadError, match="TLS" if content else variable) as caught:
        download(make_site(certificates / "good").url(NAME, BODY))
    assert caught.value.failures[0].attempts == 1
