"""The attack on the backups: a lock that holds is seen to hold, one that is missing is seen too."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest
from botocore.config import Config

from harness.faults import vault_attack
from harness.platforms.embedded import s3, vault
from harness.platforms.embedded.credentials import load
from harness.platforms.embedded.layout import Layout, load_state

pytestmark = pytest.mark.platform


@pytest.fixture
def known(platform):
    layout = Layout(platform.directory)
    return load_state(layout).ports, load(layout)


def newest(platform) -> str:
    candidates = platform.backups.candidates()
    return next(c.backup_id for c in candidates if platform.backups.verify(c.backup_id).whole)


def test_the_lock_holds_against_both_identities(platform, known) -> None:
    ports, secrets = known
    endpoints = platform.endpoints()
    sound = newest(platform)
    targets = vault_attack.watched(endpoints, sound)
    attempts = vault_attack.attack(endpoints, targets)
    assert {attempt.identity for attempt in attempts} == set(vault_attack.IDENTITIES)
    for attempt in attempts:
        assert attempt.refused or attempt.what in vault_attack.ON_TOP, attempt
    for target in targets:
        assert vault_attack.still_there(endpoints, target)[0], target.key
        assert vault.is_overwritten(s3.archivist(ports, secrets), target.key)
    assert platform.backups.verify(sound).whole  # read by its first versions


def test_a_poisoned_backup_is_a_candidate_and_refused(platform) -> None:
    sound = newest(platform)
    poisoned = f"{sound}z"
    vault_attack.poison(platform.endpoints(), sound, poisoned)
    assert poisoned in {c.backup_id for c in platform.backups.candidates()}
    found = platform.backups.verify(poisoned)
    assert not found.whole
    assert found.missing
    assert platform.backups.verify(sound).whole


def test_a_bucket_without_a_lock_is_caught(platform, known) -> None:
    """Sabotage: the same objects, in a bucket that is versioned and not locked."""
    ports, secrets = known
    store = boto3.client(
        "s3", endpoint_url=s3.url(ports), region_name="us-east-1",
        aws_access_key_id=secrets.s3_admin_key, aws_secret_access_key=secrets.s3_admin_secret,
        config=Config(s3={"addressing_style": "path"}),
    )  # fmt: skip
    store.create_bucket(Bucket="unlocked")
    store.put_bucket_versioning(Bucket="unlocked", VersioningConfiguration={"Status": "Enabled"})
    for name in ("base.tar.gz", "backup_manifest", "gate.json"):
        store.put_object(Bucket="unlocked", Key=f"shop/base/20260101T000000/{name}", Body=b"bytes")
    open_to_all = replace(platform.endpoints(), s3_bucket="unlocked")
    targets = vault_attack.watched(open_to_all, "20260101T000000", identity="admin")
    attempts = vault_attack.attack(open_to_all, targets)
    assert [a for a in attempts if not a.refused and a.what == "delete the version"]
    gone = [
        told
        for ok, told in (
            vault_attack.still_there(open_to_all, target, identity="admin") for target in targets
        )
        if not ok
    ]
    assert len(gone) == len(targets)
    assert all("gone" in told for told in gone)
