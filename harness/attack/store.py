"""The S3 key of the backup writer: put a tiny object, named after the attacker."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from harness.attack.leaked import Leaked
from harness.attack.told import ACCEPTED, Denied, Down
from harness.platforms.embedded.s3_client import S3Client, S3Error

_TIMEOUT_S = 2.0
_ABOUT_TIME = "RequestTimeTooSkewed"  # a 403 that says nothing of the key


def backup_writer(leaked: Leaked, marker: str) -> Callable[[int], str]:
    """Objects `attack/<marker>/backup-writer-<n>`: the store's own date says when."""
    where = urlsplit(leaked.where)
    bucket = where.path.strip("/")
    client = S3Client(where.port or 80, leaked.who, leaked.secret, bucket)

    def use(number: int) -> str:
        key = f"attack/{marker}/{leaked.kind}-{number}"
        try:
            answer = client.call("PUT", key, body=b"x", timeout_s=_TIMEOUT_S, tries=1)
        except (S3Error, OSError, http.client.HTTPException) as error:
            raise Down(type(error).__name__) from None
        if answer.status in {200, 204}:
            return ACCEPTED
        raise told_of(answer.status, answer.body)

    return use


def told_of(status: int, body: bytes) -> Denied | Down:
    """By S3's own code, where the body has one.

    >>> told_of(403, b"<Error><Code>InvalidAccessKeyId</Code></Error>")
    Denied('HTTP 403 InvalidAccessKeyId')
    >>> told_of(404, b"<Error><Code>NoSuchBucket</Code></Error>")
    Down('HTTP 404 NoSuchBucket')
    """
    code = re.search(rb"<Code>(\w{1,60})</Code>", body)
    named = code.group(1).decode() if code else ""
    text = f"HTTP {status} {named}".rstrip()
    return Denied(text) if status in {401, 403} and named != _ABOUT_TIME else Down(text)
