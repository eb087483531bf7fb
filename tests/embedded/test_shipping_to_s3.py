"""Evidence in a real S3 with object lock: it lies there whole, and nobody can take it away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from harness.cli import exit_code
from harness.evidence import signing
from harness.platforms.embedded import s3
from harness.platforms.embedded.credentials import load
from harness.platforms.embedded.layout import Layout, load_state
from tests.evidence import stored_run

pytestmark = pytest.mark.platform
RUN = "20261122T030000Z0001"


@pytest.fixture
def store(platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """The platform's own S3, with two buckets for evidence; boto3 finds it by its variables."""
    layout = Layout(platform.directory)
    secrets, url = load(layout), s3.url(load_state(layout).ports)
    for name, value in (
        ("AWS_ACCESS_KEY_ID", secrets.s3_admin_key),
        ("AWS_SECRET_ACCESS_KEY", secrets.s3_admin_secret),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("PEAKDRILL_SHIP_ENDPOINT", url),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=url)
    there = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
    if "evidence" not in there:
        client.create_bucket(Bucket="evidence", ObjectLockEnabledForBucket=True)
        client.create_bucket(Bucket="lockless")
    return client


@pytest.fixture
def run(tmp_path: Path) -> Path:
    out = tmp_path / "runs"
    out.mkdir()
    return stored_run.store(out, RUN, notary=signing.ready(out))


def test_a_run_is_kept_under_lock_and_cannot_be_taken_away(
    store, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = tmp_path.name
    to = ["evidence", "ship", str(run), "--to", f"s3://evidence/{prefix}"]
    assert exit_code([*to, "--keep-days", "1"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"kept: {RUN}: ")
    assert "locked until" in told
    versions = store.list_object_versions(Bucket="evidence", Prefix=f"{prefix}/")["Versions"]
    assert {v["Key"] for v in versions} >= {f"{prefix}/runs/{RUN}/verdict.json"}
    for version in versions:
        with pytest.raises(ClientError):
            store.delete_object(
                Bucket="evidence", Key=version["Key"], VersionId=version["VersionId"],
                BypassGovernanceRetention=True,
            )  # fmt: skip
    assert exit_code(to) == 0
    assert f"{len(versions)} of them lay there already" in capsys.readouterr().out


def test_a_bucket_without_object_lock_is_no_lock(
    store, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["evidence", "ship", str(run), "--to", "s3://lockless/x", "--keep-days", "1"])
    assert "kept:" not in capsys.readouterr().out


def test_a_bucket_that_is_not_there_is_named(
    store, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["evidence", "ship", str(run), "--to", "s3://nowhere-at-all/x"]) == 5
    told = capsys.readouterr().err
    assert "s3://nowhere-at-all: " in told
    assert "NoSuchBucket" in told
