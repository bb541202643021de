"""Removal of credentials from text that is shown or stored."""

from __future__ import annotations

import re

_PASSWORD = re.compile(r"(?<=://)([^/@:\n]*):[^/@\n]*(?=@)")
_TOKEN_AS_USER = re.compile(r"(?<=https://)[^/@:\s]+(?=@)|(?<=http://)[^/@:\s]+(?=@)")
_SECRET_PARAMETER = re.compile(
    r"([?&](?:[\w-]*[_-])?(?:token|key|signature|sig|credential|password|secret|auth)=)[^&#\s]+",
    re.IGNORECASE,
)


def redact_credentials(text: str) -> str:
    """Replace the credentials in all URLs of a text by ``***``.

    Covers passwords, tokens given as the user name of a web server, and query parameters such as
    ``token=`` and ``X-Amz-Signature=``.
    """
    text = _PASSWORD.sub(r"\1:***", text)
    text = _TOKEN_AS_USER.sub("***", text)
    return _SECRET_PARAMETER.sub(r"\1***", text)
