"""What a container is told and what it may see, before Docker is asked anything."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core.plan import NOT_YET
from harness.errors import PlatformError, Refused
from harness.inputs.containers_file import (
    ApplicationRun,
    ContainersOptions,
    DatabaseRun,
    Images,
    PartRun,
)
from harness.platforms import find
from harness.platforms.containers import (
    capabilities,
    clearing,
    commands,
    daemon,
    images,
    kind,
    names,
    own_ingress,
    parts,
    secret_files,
    state,
)
from harness.platforms.containers import platform as containers
from harness.platforms.containers.site import ContainersSite
from harness.platforms.embedded import credentials, ingress
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference.ports import Ports
from harness.tenancy import lock

PORTS = Ports(*range(20_000, 20_011))
CANDIDATE = Images(application="registry.example/shop:rc1")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "containers" / "x1")
    state.make(made)
    return made


def claimed(layout: Layout, **changed: object) -> state.State:
    return state.claimed(layout, replace(ContainersOptions(), **changed), PORTS)


def started(layout: Layout, name: str, **changed: object) -> parts.Part:
    return parts.part_of(layout, claimed(layout, **changed), name)


def test_every_part_runs_its_role_without_privilege(layout: Layout) -> None:
    roles = {name: started(layout, name).role for name in names.ALL}
    assert set(roles.values()) == set(secret_files.NEEDED) - {secret_files.OWN_DATABASE}
    assert roles["database-1"] == "database"
    assert roles["queue"] == "cache"
    for name in names.ALL:
        part = started(layout, name)
        assert part.is_ours
        assert (part.entrypoint[-1], part.command) == (
            "harness.platforms.reference.inside",
            (roles[name],),
        )
        assert part.environment["PEAKDRILL_NAME"] == name


def test_every_door_is_published_once(layout: Layout) -> None:
    found = [port for name in names.ALL for port in started(layout, name).doors.values()]
    assert sorted(found) == sorted(asdict(PORTS).values())


def test_no_secret_is_in_what_a_part_is_told(layout: Layout) -> None:
    made = credentials.generate(layout)
    secret_files.write_all(layout, made)
    for name in names.ALL:
        told = repr(started(layout, name))
        assert not [key for key, secret in asdict(made).items() if secret in told]
    assert not [key for key, word in asdict(made).items() if word in layout.state_file.read_text()]


def test_a_role_may_see_its_own_secrets_and_this_machine_none(layout: Layout) -> None:
    made = credentials.generate(layout)
    secret_files.write_all(layout, made)
    for role, needed in secret_files.NEEDED.items():
        folder = secret_files.folder(layout, role)
        assert {file.name for file in folder.iterdir()} == set(needed)
        assert all(file.stat().st_mode & 0o777 == 0o444 for file in folder.iterdir())
    assert state.mounted(layout).stat().st_mode & 0o777 == 0o700
    assert (secret_files.folder(layout, "application") / "shop").read_text() == made.shop


def test_a_new_secret_replaces_the_old_one_where_it_is_needed(layout: Layout) -> None:
    secret_files.write_all(layout, credentials.generate(layout))
    secret_files.put(layout, {"valkey": "new", "nobody": "x"})
    for role in ("cache", "application"):
        assert (secret_files.folder(layout, role) / "valkey").read_text() == "new"
    assert not (secret_files.folder(layout, "database") / "valkey").exists()
    assert not list(layout.root.rglob("nobody"))


def test_a_candidate_is_started_as_its_file_says(layout: Layout) -> None:
    told = ApplicationRun(command=("/run", "--now"), environment=(("WORKERS", "4"),))
    part = started(layout, "application-0", images=CANDIDATE, application=told)
    assert (part.image, part.entrypoint, part.command) == (
        "registry.example/shop:rc1",
        ("/run",),
        ("--now",),
    )
    assert part.environment["WORKERS"] == "4"
    assert part.environment["PEAKDRILL_QUEUE"] == "queue:6379"
    assert not part.is_ours
    assert started(layout, "database-0", images=CANDIDATE, application=told).is_ours
    assert "WORKERS" not in started(layout, "keeper", application=told).environment
    odoo = started(layout, "application-1", application=ApplicationRun(kind="odoo"))
    assert (odoo.entrypoint, odoo.command) == ((), ())


ODOO = ApplicationRun(
    kind="odoo", install=("/odoo", "-i", "sale"), user="odoo", port=8070, health="/web/login",
    filestore="/var/lib/odoo/filestore",
)  # fmt: skip
OWN = DatabaseRun(managed="own", command=("/pg",), environment=(("PGDATA", "/d"),), user="postgres")
FOREIGN = {
    "images": replace(CANDIDATE, database="registry.example/pg:17"),
    "application": ODOO,
    "database": OWN,
}


def test_an_image_that_knows_nothing_of_us_is_started_as_its_file_says(layout: Layout) -> None:
    odoo = started(layout, "application-0", **FOREIGN)
    assert (odoo.user, odoo.entrypoint, odoo.is_ours) == ("odoo", (), False)
    assert "/var/lib/odoo/filestore" in odoo.volumes.values()
    install = parts.install_of(layout, claimed(layout, **FOREIGN))
    assert install is not None
    assert (install.entrypoint, install.command) == (("/odoo",), ("-i", "sale"))
    assert (install.user, install.name, install.begins_again) == ("odoo", "install", False)
    assert set(install.volumes.values()) == {"/var/lib/odoo/filestore"}
    pg = started(layout, "database-1", **FOREIGN)
    assert (pg.entrypoint, pg.user, pg.environment["PGDATA"]) == (("/pg",), "postgres", "/d")
    assert set(pg.volumes.values()) == {"/var/lib/postgresql"}
    assert pg.environment["PEAKDRILL_NAME"] == "database-1"
    door = started(layout, "ingress", **FOREIGN)
    assert door.environment["PEAKDRILL_REPLICAS"] == "application-0:8070,application-1:8070"
    assert door.environment["PEAKDRILL_HEALTH"] == "/web/login"
    assert door.is_ours
    assert parts.install_of(layout, claimed(layout)) is None


def test_it_sees_no_secret_of_what_it_has_no_part_in(layout: Layout) -> None:
    secret_files.write_all(layout, credentials.generate(layout))
    seen = {file.name for file in started(layout, "database-0", **FOREIGN).secrets.iterdir()}
    assert seen == {"postgres", "replicator", "rewind", "patroni"}


def test_what_such_images_cannot_have_is_lacking_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "versions_if_known", lambda _: ())
    everything = set(containers.facts(ContainersOptions()).capabilities)
    found = containers.facts(replace(ContainersOptions(), **FOREIGN, dialect=18))
    assert everything - set(found.capabilities) == {
        "database.damage", "backups", "secrets", "audit", "cache", "integrations", "clean-room",
    }  # fmt: skip
    assert {"nodes", "database.standby", "ingress", "filestore"} <= set(found.capabilities)
    assert found.unproven == ("Odoo 18",)
    assert not containers.facts(replace(ContainersOptions(), **FOREIGN, dialect=14)).unproven
    beside = replace(
        ContainersOptions(), cache=PartRun(managed="own"), ingress=PartRun(managed="own")
    )
    assert [told.partition(":")[0] for told in containers.facts(beside).unproven] == [
        "cache",
        "ingress",
    ]
    only_pg = containers.facts(ContainersOptions(images=FOREIGN["images"], database=OWN))
    assert {"cache", "integrations"} <= set(only_pg.capabilities)


BESIDE = {
    "images": replace(Images(), cache="redis:7", ingress="traefik:3"),
    "cache": PartRun(managed="own", command=("/redis",), user="redis", data="/var/lib/redis"),
    "ingress": PartRun(managed="own"),
}


def test_redis_and_traefik_of_their_own_images(layout: Layout) -> None:
    redis, door = started(layout, "queue", **BESIDE), started(layout, "ingress", **BESIDE)
    assert (redis.image, redis.entrypoint, redis.user) == ("redis:7", ("/redis",), "redis")
    assert set(redis.volumes.values()) == {"/var/lib/redis"}
    assert not redis.is_ours
    assert (door.image, door.entrypoint, door.is_ours) == ("traefik:3", (), False)
    assert door.command == ("--configFile=/secrets/traefik.yml",)
    assert started(layout, "keeper", **BESIDE).is_ours
    gone = set(capabilities.had(ContainersOptions())) - set(
        capabilities.had(replace(ContainersOptions(), **BESIDE))
    )
    assert gone == {"backups", "secrets", "audit", "clean-room"}


def test_a_traefik_of_its_own_image_is_told_by_its_file(layout: Layout) -> None:
    now = claimed(layout, **BESIDE, application=replace(ODOO, port=8070))
    secret_files.write_all(layout, credentials.generate(layout))
    own_ingress.write_first(layout, now.options)
    folder = started(layout, "ingress", **BESIDE).secrets
    static = json.loads((folder / "traefik.yml").read_text())
    assert static["providers"]["file"]["filename"] == "/secrets/routes.yml"
    assert {each["address"] for each in static["entryPoints"].values()} == {
        ":8080", ":6380", ":8081",
    }  # fmt: skip
    site = ContainersSite(layout, PORTS)
    state.save(layout, now)
    assert site.doors() == (False, False)
    site.set_doors(closed=True, queue_closed=False)
    assert site.doors() == (True, False)
    routes = ingress.load(folder / "routes.yml")
    assert routes.replicas == ("http://application-0:8070", "http://application-1:8070")
    assert (routes.queue_host, routes.queue_port, routes.health) == ("queue", 6379, "/web/login")
    assert all(file.stat().st_mode & 0o777 == 0o444 for file in folder.iterdir())


def test_what_every_part_is_told_cannot_be_told_otherwise(layout: Layout) -> None:
    told = ApplicationRun(environment=(("PEAKDRILL_DATABASE", "elsewhere:5432"),))
    part = started(layout, "application-0", application=told)
    assert part.environment["PEAKDRILL_DATABASE"] == "database-0:5432,database-1:5432"


def test_the_heading_is_the_candidates_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> object:
        raise Refused("Docker does not answer")

    monkeypatch.setattr(daemon, "client", silent)
    plain = containers.facts(ContainersOptions())
    assert plain.heading == "stand-in application"
    assert plain.disposable
    assert all(NOT_YET in told for _, told in plain.versions)
    found = containers.facts(ContainersOptions(images=CANDIDATE, leader_ttl_s=30))
    assert found.heading == CANDIDATE.application
    assert found.versions[0][1].startswith(CANDIDATE.application)
    assert any("ttl 30 s" in note for note in found.notes)


def test_images_are_told_with_the_parts_that_run_from_them() -> None:
    told = images._told(
        replace(Images(), database="pg:18"), {Images().cache: "sha256:1", "pg:18": "sha256:2"}
    )
    assert told[0] == ("application image", f"{Images().cache} sha256:1")
    assert ("image of database", "pg:18 sha256:2") in told
    assert len(told) == 3


def test_state_is_read_back_as_it_was_written(layout: Layout) -> None:
    now = claimed(layout, ports=(("ingress", 18_080),), synchronous=False)
    assert state.load(layout) == now
    assert now.asked.synchronous is False
    assert state.starter_lives(now)
    assert not clearing.is_stale(now)
    assert clearing.is_stale(replace(now, starter_ticks=1))
    assert clearing.is_stale(replace(now, phase=state.UP, boot_id="another"))
    layout.state_file.write_text("{}")
    with pytest.raises(Refused, match="platform down, then up"):
        state.load(layout)


def test_where_docker_is_silent_it_is_up_by_what_is_kept_of_it(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> object:
        raise Refused("Docker does not answer")

    monkeypatch.setattr(daemon, "client", silent)
    monkeypatch.setenv("PEAKDRILL_HOME", str(layout.root.parent.parent))
    assert kind.every() == ()  # somebody is just starting it
    state.save(layout, replace(claimed(layout), phase=state.UP))
    (found,) = kind.every()
    assert found.directory == layout.root
    running = find.running("containers")
    assert running is not None
    assert find.platform_at(running.directory).directory == layout.root


def test_a_folder_that_says_nothing_is_cleared_when_nobody_can_be_making_it(
    layout: Layout,
) -> None:
    assert not clearing._is_forsaken(layout)
    os.utime(layout.root, (1, 1))
    assert clearing._is_forsaken(layout)


def test_nodes_and_members_are_told_apart(layout: Layout) -> None:
    site = ContainersSite(layout, PORTS)
    assert (site.member_of("b"), site.member_of("database-0")) == ("database-1", "database-0")
    assert (site.node_of("database-1"), site.node_of("application-0")) == ("b", "a")
    for ask, word in ((site.member_of, "c"), (site.node_of, "queue")):
        with pytest.raises(PlatformError):
            ask(word)


def test_streams_are_told_apart() -> None:
    def frame(stream: int, text: bytes) -> bytes:
        return struct.pack(">BxxxL", stream, len(text)) + text

    answer = frame(1, b"a" * 300) + frame(2, b"oh") + frame(1, b"") + frame(1, b"b")
    assert commands._streams(answer) == (b"a" * 300 + b"b", b"oh")
    assert commands._streams(b"") == (b"", b"")


def test_a_daemon_elsewhere_is_refused() -> None:
    api = SimpleNamespace(base_url="http://docker:2375", get_adapter=lambda _: object())
    with pytest.raises(Refused, match="on another machine"):
        daemon.socket_of(SimpleNamespace(api=api))


def test_what_a_drill_has_is_no_leftover(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its consensus store may have crashed under the fault: nobody else may end it for that."""
    monkeypatch.setattr(state, "state_home", lambda: tmp_path)
    monkeypatch.setattr(clearing, "is_stale", lambda _: True)
    monkeypatch.setattr(clearing, "_orphans", set)
    removed: list[str] = []
    monkeypatch.setattr(clearing, "remove", lambda gone: removed.append(gone.root.name))
    state.save(layout, replace(claimed(layout), phase=state.UP))
    with lock.alone(containers.ContainersPlatform(layout)):
        assert clearing.clear_leftovers() == ()
        assert [found.directory for found in kind.every()] == [layout.root]
    assert removed == []
    assert kind.every() == ()
    assert clearing.clear_leftovers() == ("x1",)
    assert removed == ["x1", "x1"]
