"""A filestore in object storage: each document fetched by what its row names. Only reads."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.platforms.capabilities import Endpoints

_TRIES, _TIMEOUT_S = 4, 20
_GONE = frozenset({"NoSuchKey", "404"})


def fetcher(endpoints: Endpoints) -> Callable[[str], bytes | None]:
    """None for an object that is not there. Raises botocore's errors for a store that is silent."""
    import botocore.session
    from boto3.session import Session
    from botocore.config import Config
    from botocore.exceptions import ClientError

    own = botocore.session.Session()
    if endpoints.s3_credentials_file is not None:
        own.set_config_variable("credentials_file", str(endpoints.s3_credentials_file))
    retries = {"total_max_attempts": _TRIES, "mode": "standard"}
    config = Config(retries=retries, connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S)  # type: ignore[arg-type]
    client = Session(botocore_session=own).client(
        "s3", endpoint_url=endpoints.s3_url or None, config=config
    )
    bucket, _, prefix = endpoints.s3_bucket.partition("/")

    def fetch(store_fname: str) -> bytes | None:
        try:
            answer = client.get_object(Bucket=bucket, Key=key_in(store_fname, prefix))
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return None
            raise
        return answer["Body"].read()

    return fetch


def key_in(store_fname: str, prefix: str = "") -> str:
    """The key of what a row names: as it stands, or behind the store's own name.

    >>> key_in("ab/abcd"), key_in("s3://bucket/ab/abcd"), key_in("fs-code://report-1.pdf", "docs")
    ('ab/abcd', 'ab/abcd', 'docs/report-1.pdf')
    """
    name = re.sub(r"^s3://[^/]*/", "", store_fname)
    name = re.sub(r"^[\w.-]+://", "", name)
    return f"{prefix.strip('/')}/{name}" if prefix else name
