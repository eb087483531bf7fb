"""platform.yaml of kind containers: strict, without secrets, every image the reference by default."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from harness.errors import BadInput, UsageError
from harness.inputs.containers_file import (
    REFERENCE_IMAGE,
    ApplicationRun,
    ContainersOptions,
    DatabaseRun,
    Images,
    PartRun,
    read_containers,
)
from harness.inputs.containers_model import PortsModel
from harness.inputs.platform_file import kind_of, read_platform
from harness.platforms.reference.ports import Ports

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "platform-containers.yaml"
LEAST = "kind: containers\n"


def read(tmp_path: Path, text: str) -> ContainersOptions:
    file = tmp_path / "platform.yaml"
    file.write_text(text)
    return read_containers(file)


def refused(tmp_path: Path, text: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, text)
    return caught.value


def test_the_least_is_the_reference_stack(tmp_path: Path) -> None:
    assert read(tmp_path, LEAST) == ContainersOptions()
    assert {getattr(Images(), field.name) for field in fields(Images)} == {REFERENCE_IMAGE}
    assert kind_of(tmp_path / "platform.yaml") == "containers"
    with pytest.raises(UsageError, match="describes containers"):
        read_platform(tmp_path / "platform.yaml")


def test_the_example_says_every_default() -> None:
    found = read_containers(EXAMPLE)
    assert dict(found.application.environment) == {"SHOP_LOG_LEVEL": "info"}
    assert replace(found, application=ApplicationRun()) == ContainersOptions()


def test_a_candidate_is_named_with_how_it_is_started(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "kind: containers\n"
        "images: {application: 'registry.example:5000/shop@sha256:0123abcd'}\n"
        "application: {kind: odoo, command: [/run, --now], environment: {PASSWORD_FILE: /secrets/shop}}\n"
        "ports: {ingress: 18080, pg_0: 15432}\nleader_ttl_s: 30\nsynchronous: false\ndialect: 14\n",
    )
    assert found.images.application == "registry.example:5000/shop@sha256:0123abcd"
    assert found.images.database == REFERENCE_IMAGE
    assert found.application.command == ("/run", "--now")
    assert found.application.environment == (("PASSWORD_FILE", "/secrets/shop"),)
    assert dict(found.ports) == {"ingress": 18080, "pg_0": 15432}
    assert (found.leader_ttl_s, found.synchronous, found.dialect) == (30, False, 14)


def test_images_that_know_nothing_of_us_are_told_what_they_need(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "kind: containers\nimages: {application: odoo:16, database: pg:17}\ndialect: 16\n"
        "application: {kind: odoo, install: [/odoo, -i, sale], user: 'odoo:odoo', port: 8070,\n"
        "  health: '/web/login?db=shop', filestore: /var/lib/odoo/filestore, ready_within_s: 300,\n"
        "  server_timeout_s: 20, canary_limit_s: 5}\n"
        "database: {managed: own, command: [/pg, -D, /d], environment: {PGDATA: /d}, user: '999',\n"
        "  data: /d}\n",
    )
    assert found.application == ApplicationRun(
        kind="odoo", install=("/odoo", "-i", "sale"), user="odoo:odoo", port=8070,
        health="/web/login?db=shop", filestore="/var/lib/odoo/filestore", ready_within_s=300,
        server_timeout_s=20, canary_limit_s=5,
    )  # fmt: skip
    assert found.database == DatabaseRun(
        managed="own", command=("/pg", "-D", "/d"), environment=(("PGDATA", "/d"),), user="999",
        data="/d",
    )  # fmt: skip
    assert not found.application.is_role
    assert not found.database.is_role


def test_redis_and_traefik_may_be_their_images_own(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "kind: containers\nimages: {cache: redis:7, ingress: traefik:3}\n"
        "ingress: {managed: own}\n"
        "cache: {managed: own, command: [/redis, --port, '6379'], user: redis, data: /var/lib/redis}\n",
    )
    assert found.ingress == PartRun(managed="own")
    assert found.cache == PartRun(
        "own", ("/redis", "--port", "6379"), (), "redis", "/var/lib/redis"
    )


def test_the_example_of_an_odoo_names_images_that_know_nothing_of_us() -> None:
    found = read_containers(EXAMPLE.with_name("platform-containers-odoo.yaml"))
    assert (found.application.kind, found.dialect, found.database.managed) == ("odoo", 14, "own")
    assert REFERENCE_IMAGE not in {found.images.application, found.images.database}
    said = " ".join([*found.application.command, *found.application.install])
    assert "/secrets/shop" in said
    assert "harness" not in said + " ".join(found.database.command)


def test_every_door_can_be_named() -> None:
    beside = {"queue", "application"}  # of nobody outside
    assert set(PortsModel.model_fields) == {field.name for field in fields(Ports)} - beside


@pytest.mark.parametrize(
    ("text", "line", "key", "told"),
    [
        ("images:\n  databse: x\n", 3, "images.databse", "did you mean database?"),
        ("images: {application: 'a b'}\n", 2, "images.application", "must match"),
        ("images: {application: '-v'}\n", 2, "images.application", "must match"),
        ("disposable: false\n", 2, "disposable", "always true"),
        ("leader_ttl_s: 19\n", 2, "leader_ttl_s", "at least 20"),
        ("dialect: 15\n", 2, "dialect", "14, 18, 19"),
        ("ports: {store: 80}\n", 2, "ports.store", "at least 1024"),
        ("ports:\n  pg_0: 15000\n  pg_1: 15000\n", 4, "ports.pg_1", "named for pg_0 already"),
        ("ports: {etcd: 2379}\n", 2, "ports.etcd", "is not known"),
        ("application: {kind: spree}\n", 2, "application.kind", "shop, odoo"),
        ("application: {command: []}\n", 2, "application.command", "must not be empty"),
        ("application: {command: serve}\n", 2, "application.command", "must be a list"),
        ("application: {environment: {1A: x}}\n", 2, "application.environment.1A", "NAME_OF_IT"),
        ("network: host\n", 2, "network", "is not known"),
        ("application: {port: 80}\n", 2, "application.port", "kind is odoo, or a command"),
        ("application: {kind: odoo, user: 'a b'}\n", 2, "application.user", "must match"),
        ("application: {kind: odoo, health: web}\n", 2, "application.health", "must match"),
        ("application: {kind: odoo, filestore: ../x}\n", 2, "application.filestore", "match"),
        ("application: {kind: odoo, ready_within_s: 0}\n", 2, "application.ready_within_s", "1"),
        ("database: {managed: repmgr}\n", 2, "database.managed", "patroni, own"),
        ("database: {command: [/pg]}\n", 2, "database.command", "managed is own"),
        ("database: {managed: own}\n", 2, "database.managed", "images.database"),
        ("ingress: {managed: own}\n", 2, "ingress.managed", "images.ingress"),
        ("cache: {user: redis}\n", 2, "cache.user", "managed is own"),
        ("cache: {managed: patroni}\n", 2, "cache.managed", "role, own"),
        ("cache: {environment: {A_TOKEN: x}}\n", 2, "cache.environment.A_TOKEN", "/secrets"),
        ("database: {environment: {PASSWORD: x}}\n", 2, "database.environment.PASSWORD", "/secrets"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(
    tmp_path: Path, text: str, line: int, key: str, told: str
) -> None:
    error = refused(tmp_path, LEAST + text)
    assert (error.line, error.key) == (line, key)
    assert told in str(error)


@pytest.mark.parametrize("name", ["DB_PASSWORD", "API_KEY", "TOKEN", "AWS_SECRET"])
def test_a_secret_is_no_variable(tmp_path: Path, name: str) -> None:
    text = f"kind: containers\napplication:\n  environment: {{{name}: hunter2}}\n"
    error = refused(tmp_path, text)
    assert error.key == f"application.environment.{name}"
    assert "hunter2" not in str(error)
    assert f"{name}_FILE" in str(error)


def test_what_only_sounds_like_a_secret_is_none(tmp_path: Path) -> None:
    for name in ("MONKEY", "PASSWORD_FILE", "TOKENS_PER_S", "COMPASS"):
        assert read(
            tmp_path, f"kind: containers\napplication: {{environment: {{{name}: x}}}}\n"
        ).application.environment == ((name, "x"),)
