"""The URI schemes that fsspec opens: ``s3://``, ``gs://`` and others, where it is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from urllib.parse import urlsplit

from brickwork_zoo.errors import MissingDependencyError

from ._filename import safe_filename
from ._resource import Resource
from ._url import last_component

# The usual ones, known without fsspec so that the error on a machine without it can name it.
_COMMON = frozenset(
    (
        *("abfs", "abfss", "adl", "az", "ftp", "gcs", "gs", "hdfs", "memory", "oci", "oss"),
        *("s3", "s3a", "sftp", "smb", "ssh"),
    )
)


def is_fsspec_scheme(scheme: str) -> bool:
    """Return whether fsspec can open URIs of this scheme, once it is installed."""
    if scheme in _COMMON:
        return True
    return is_installed() and scheme in import_module("fsspec").available_protocols()


def is_fsspec_url(url: str) -> bool:
    """Return whether fsspec opens this URL, rather than an HTTP client."""
    return urlsplit(url).scheme not in ("http", "https")


def is_installed() -> bool:
    """Return whether fsspec is installed."""
    return find_spec("fsspec") is not None


def resolve(uri: str) -> Resource:
    """Return the resource of a URI that fsspec opens; its only URL is the URI itself.

    Raises:
        MissingDependencyError: If fsspec is not installed.
    """
    if not is_installed():
        raise MissingDependencyError(
            f"{uri} needs fsspec: pip install 'brickwork-zoo[fsspec]'", uri=uri, package="fsspec"
        )
    return Resource(uri, (uri,), safe_filename(last_component(uri)))
