"""Errors of a failed download: every URL that was tried, and why it failed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from brickwork_zoo._find._file_hash import FROM_ARGUMENT, FROM_EARLIER_CALL, FROM_NAME
from brickwork_zoo._find._resource import Resource
from brickwork_zoo._redact import redact_credentials
from brickwork_zoo.errors import DownloadError, Failure, HashMismatchError, OfflineError

from ._attempt_errors import AttemptError, UntrustedError, WrongHashError


def offline_error(resource: Resource, path: Path) -> OfflineError:
    """Return the error for a file that is not in the cache, at `path`, in offline mode."""
    urls = [redact_credentials(url) for url in resource.urls]
    lines = "".join(f"\n  {url}" for url in urls)
    return OfflineError(
        f"{resource.uri} is not in the cache, and offline mode forbids requests. "
        f"Download it on a machine with a network from{lines}\nand save it as {path}, or allow "
        "requests (offline=False, BRICKWORK_OFFLINE=0)",
        uri=resource.uri,
        failures=[Failure(url, "offline", attempts=0) for url in urls],
        path=path,
    )


def download_error(
    resource: Resource,
    errors: Mapping[str, AttemptError],
    attempts: Mapping[str, int],
    *,
    is_resumable: bool,
) -> DownloadError:
    """Return the error of a download that failed at every URL."""
    failures = [
        Failure(redact_credentials(url), error.reason, error.status, attempts[url])
        for url, error in errors.items()
    ]
    lines = "".join(f"\n  {failure}" for failure in failures)
    wrong = [error for error in errors.values() if isinstance(error, WrongHashError)]
    if len(wrong) == len(failures):
        return HashMismatchError(
            f"{resource.uri} does not have the expected SHA-256; tried{lines}\n"
            f"{_hash_hint(resource, wrong[-1])}",
            uri=resource.uri,
            failures=failures,
            expected=wrong[-1].expected,
            actual=wrong[-1].actual,
        )
    hints = "\nThe partial download was kept; the next call resumes it" if is_resumable else ""
    if any(isinstance(error, UntrustedError) for error in errors.values()):
        hints += (
            "\nIf the certificate was issued by an authority that you trust, set "
            "REQUESTS_CA_BUNDLE or SSL_CERT_FILE to the authority's certificate file, or set a "
            "mirror in BRICKWORK_MIRRORS"
        )
    return DownloadError(
        f"could not download {resource.uri}; tried{lines}{hints}",
        uri=resource.uri,
        failures=failures,
    )


def _hash_hint(resource: Resource, error: WrongHashError) -> str:
    """Return where the expected hash comes from, and how to accept the file nevertheless."""
    accept = (
        f"To accept this file from now on, pass sha256={error.actual!r} once (command line: "
        f"`brickwork-zoo download {resource.uri} --sha256 {error.actual}`); to skip the check, "
        "pass sha256=False (--no-verify)"
    )
    if resource.sha256_source == FROM_ARGUMENT:
        return "The expected hash was passed as sha256; check it"
    if resource.sha256_source == FROM_EARLIER_CALL:
        return f"The expected hash was passed as sha256 in an earlier call. {accept}"
    if resource.sha256_source == FROM_NAME:
        return (
            "Only the file's name states the expected hash, and names can be wrong or outdated. "
            + accept
        )
    if resource.sha256_source is None:
        return f"The server itself states the expected hash. {accept}"
    return f"The catalog has the expected hash ({resource.sha256_source}). {accept}"
