"""Object storage by boto3: who may write there is said by the usual AWS variables and files."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from harness.errors import PeakdrillError
from harness.evidence.shipping import Destination

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
_TRIES, _TIMEOUT_S = 4, 20
_GONE = frozenset({"NoSuchKey", "404", "NoSuchObjectLockConfiguration"})
_UNLOCKED = frozenset({*_GONE, "InvalidRequest", "ObjectLockConfigurationNotFoundError"})


@dataclass(frozen=True, slots=True)
class S3Shelf:
    """One bucket."""

    client: S3Client
    bucket: str

    def get(self, key: str) -> bytes | None:
        def read() -> bytes:
            return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

        return self._asked(f"{key} cannot be read", read, none_for=_GONE)

    def put(self, key: str, content: bytes, *, keep_until: dt.datetime | None) -> None:
        digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()

        def write() -> object:
            if keep_until is None:
                return self.client.put_object(Bucket=self.bucket, Key=key, Body=content)
            return self.client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=content,
                ContentMD5=digest,  # S3 asks for it where a lock is set
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=keep_until,
            )

        self._asked(f"{key} cannot be stored", write)

    def is_locked(self, key: str, until: dt.datetime) -> bool:
        def retention() -> bool:
            told = self.client.get_object_retention(Bucket=self.bucket, Key=key)["Retention"]
            kept = told.get("RetainUntilDate")
            same = kept is not None and kept >= until.replace(microsecond=0)
            return same and told.get("Mode") == "COMPLIANCE"

        return bool(self._asked(f"the lock of {key} cannot be read", retention, none_for=_UNLOCKED))

    def _asked(
        self, what: str, call: Callable[[], T], *, none_for: frozenset[str] = frozenset()
    ) -> T | None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return call()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in none_for:
                return None
            raise PeakdrillError(
                f"s3://{self.bucket}: {what}: {code}", next_step=_NEXT.get(code, _ELSE)
            ) from error
        except BotoCoreError as error:
            raise PeakdrillError(
                f"s3://{self.bucket}: {what}: {type(error).__name__}", next_step=_ELSE
            ) from error


_ELSE = "check the endpoint and the credentials (AWS_ENDPOINT_URL_S3, AWS_PROFILE, ...)"
_NEXT = {
    "AccessDenied": "let this identity put, get and lock objects of the bucket",
    "NoSuchBucket": "make the bucket first, with object lock enabled",
}


def s3_shelf(to: Destination) -> S3Shelf:
    """Nothing is asked yet."""
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"total_max_attempts": _TRIES, "mode": "standard"},
        connect_timeout=_TIMEOUT_S,
        read_timeout=_TIMEOUT_S,
    )
    client = boto3.client("s3", endpoint_url=to.endpoint or None, config=config)
    return S3Shelf(client, to.bucket)
