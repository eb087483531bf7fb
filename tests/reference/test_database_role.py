"""The database container's role: what Patroni is told, where the secrets are, and who sees them."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from memory_store import Store

from harness.errors import NotReady, PlatformError
from harness.platforms.embedded import archive
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.reference.inside import (
    archive_fault,
    database,
    patroni_config,
    places,
    resident_archive,
)
from harness.platforms.reference.inside.resident_archive import Resident
from harness.platforms.reference.inside.settings import Settings

SEGMENT = "000000010000000000000004"
KUBERNETES = {
    "PEAKDRILL_CONSENSUS": "kubernetes",
    "PEAKDRILL_NAMESPACE": "shop",
    "PEAKDRILL_ADDRESS": "10.1.2.3",
}
CONTAINERS = {"PEAKDRILL_CONSENSUS": "consensus:2379"}
BOTH = pytest.mark.parametrize("told", [KUBERNETES, CONTAINERS], ids=["kubernetes", "containers"])


def settings(folder: Path, told: dict[str, str]) -> Settings:
    secrets = folder / "secrets"
    secrets.mkdir()
    for field in fields(Secrets):
        secrets.joinpath(field.name).write_text(f"secret-{field.name}\n")
    secrets.joinpath("backup-key").write_text("ab" * 32)
    data = folder / "data"
    data.mkdir()
    return Settings(
        {
            "PEAKDRILL_NAME": "database-0",
            "PEAKDRILL_STORE": "store:8333",
            "PEAKDRILL_SECRETS": str(secrets),
            "PEAKDRILL_DATA": str(data),
            **told,
        }
    )


@BOTH
def test_no_secret_is_anywhere_but_in_one_private_file(
    tmp_path: Path, told: dict[str, str]
) -> None:
    ours, folder = settings(tmp_path, told), tmp_path / "private"
    folder.mkdir()
    programs = database.programs_of(ours, folder)
    seen = repr([list(program.argv()) for program in programs])
    seen += repr(database.environment({"PATH": "/bin", **told})) + patroni_config.archive_command(
        ours
    )
    assert "secret-" not in seen
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    written = file.read_text()
    for name in ("postgres", "replicator", "rewind", "patroni"):
        assert written.count(f"secret-{name}") == 1
    for name in ("shop", "readback", "archive_token", "s3_archive_secret", "valkey"):
        assert f"secret-{name}" not in written
    assert str(file) in seen


@BOTH
def test_both_stacks_promote_alike_and_ask_everybody_for_a_password(
    tmp_path: Path, told: dict[str, str]
) -> None:
    ours = settings(tmp_path, {**told, "PEAKDRILL_LEADER_TTL_S": "33"})
    made = json.loads(json.dumps(patroni_config.configuration(ours, tmp_path)))
    assert made["scope"] == "database"
    assert made["name"] == "database-0"
    assert made["bootstrap"]["dcs"]["ttl"] == 33
    assert made["bootstrap"]["dcs"]["synchronous_mode"] is True
    assert made["bootstrap"]["dcs"]["postgresql"]["parameters"]["archive_mode"] == "always"
    assert "data-checksums" in made["bootstrap"]["initdb"]
    rules = made["postgresql"]["pg_hba"]
    assert all(rule.endswith(" scram-sha-256") for rule in rules)
    assert not any("trust" in rule for rule in rules)
    assert made["postgresql"]["data_dir"] == str(places.pgdata(ours.data))
    address = told.get("PEAKDRILL_ADDRESS", "database-0")
    assert made["postgresql"]["connect_address"] == f"{address}:5432"
    assert made["restapi"]["connect_address"] == f"{address}:8008"


def test_endpoints_are_the_memory_on_kubernetes(tmp_path: Path) -> None:
    made = patroni_config.configuration(settings(tmp_path, KUBERNETES), tmp_path)
    assert "namespace" not in made  # Patroni would take it for the cluster's
    assert "etcd3" not in made
    kept = made["kubernetes"]
    assert isinstance(kept, dict)
    assert kept["namespace"] == "shop"
    assert kept["use_endpoints"] is True
    assert kept["pod_ip"] == "10.1.2.3"
    assert kept["ports"] == [{"name": "postgresql", "port": 5432}]


def test_etcd_is_the_memory_of_containers(tmp_path: Path) -> None:
    made = patroni_config.configuration(settings(tmp_path, CONTAINERS), tmp_path)
    assert "kubernetes" not in made
    assert made["etcd3"] == {"hosts": ["consensus:2379"]}
    assert made["namespace"] == "/service/"


def test_what_is_not_told_is_named_before_anything_starts(tmp_path: Path) -> None:
    ours = settings(tmp_path, CONTAINERS)
    ours.secrets.joinpath("replicator").unlink()
    with pytest.raises(PlatformError, match="the secret replicator cannot be read"):
        database.main(ours)
    assert not places.pgdata(ours.data).exists()


def test_what_would_be_taken_for_configuration_does_not_come_through() -> None:
    strange = {"PATRONI_SCOPE": "x", "PGHOST": "x", "PATH": "/bin", "KUBERNETES_PORT": "1"}
    assert database.environment(strange) == {
        "PATH": "/bin", "KUBERNETES_PORT": "1", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip


def test_one_container_works_on_a_volume(tmp_path: Path) -> None:
    with (
        database.alone_with(tmp_path),
        pytest.raises(NotReady, match="another container works on it"),
        database.alone_with(tmp_path, within_s=0.0),
    ):
        pytest.fail("two of them")
    with database.alone_with(tmp_path, within_s=0.0):
        pass


@pytest.fixture
def resident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Resident:
    ours = settings(tmp_path, CONTAINERS)
    segment = places.pgdata(ours.data) / "pg_wal" / SEGMENT
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"wal" * 1000)
    store = Store()
    monkeypatch.setattr(resident_archive, "store_of", lambda _: store)
    return Resident(ours)


LINE = f"secret-archive_token database-0 {SEGMENT}"


def test_the_archive_ships_its_own_members_wal_alone(resident: Resident) -> None:
    assert resident.answer(LINE) == "ok"
    store = resident.uploader().store
    assert store.head(archive.key_of(SEGMENT)) is not None
    assert resident.answer(LINE.replace("database-0", "database-1")).startswith("no such segment")
    assert resident.answer(LINE.replace("secret-archive_token", "x")) == "refused"


def test_a_lost_copy_of_the_key_does_not_stop_an_archive_that_runs(resident: Resident) -> None:
    key = resident.settings.secrets / "backup-key"
    resident.uploader()
    for text in ("lost", ""):
        key.write_text(text)
        assert resident.answer(LINE) == "ok"
    fresh = Resident(resident.settings)
    assert "backup-key" in fresh.answer(LINE)
    key.write_text("lost")
    assert "damaged" in fresh.answer(LINE)


def test_a_fault_of_the_archive_acts_until_its_base_backup_was_taken(resident: Resident) -> None:
    data = resident.settings.data
    assert archive_fault.state(data) == archive_fault.NONE
    archive_fault.mend(data)
    assert archive_fault.state(data) == archive_fault.NONE
    archive_fault.begin(data)
    assert archive_fault.state(data) == archive_fault.ACTS
    assert resident.uploader().wrong_key.exists()
    for _ in range(2):
        archive_fault.mend(data)
        assert archive_fault.state(data) == archive_fault.MENDS
        assert not resident.uploader().wrong_key.exists()
    for _ in range(2):
        archive_fault.end(data)
        assert archive_fault.state(data) == archive_fault.NONE


def test_every_secret_that_is_read_is_a_known_one(tmp_path: Path) -> None:
    known = asdict(settings(tmp_path, CONTAINERS).secrets_of(*patroni_config.NEEDED))
    told = {name for name, word in known.items() if word == f"secret-{name}"}
    assert told == set(patroni_config.NEEDED)
