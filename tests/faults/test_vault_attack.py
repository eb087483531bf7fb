"""A refusal proves a lock only where the lock was asked."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from harness.faults import vault_attack


@pytest.mark.parametrize(
    ("code", "status", "refused"),
    [
        ("AccessDenied", 403, True),
        ("InvalidBucketState", 409, True),
        ("InvalidAccessKeyId", 403, None),  # the store does not know who asks
        ("SignatureDoesNotMatch", 403, None),
        ("SlowDown", 503, None),
        ("SomethingOfItsOwn", 500, None),
        ("NoSuchBucket", 404, None),
    ],
)
def test_a_refusal_that_is_not_of_the_lock_proves_nothing(
    code: str, status: int, refused: bool | None
) -> None:
    def deed() -> None:
        raise ClientError(
            {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Delete"
        )

    tried = vault_attack._tried("delete the version", "admin", "shop/base/1/gate.json", deed)
    assert (tried.refused, tried.told) == (refused, code)
