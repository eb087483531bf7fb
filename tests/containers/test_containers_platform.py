"""A platform of containers: found again, told without secrets, reached on loopback alone."""

from __future__ import annotations

import json
from dataclasses import asdict

import psycopg
import pytest
from docker_seen import inspected, until

from harness.errors import PlatformError
from harness.platforms import find
from harness.platforms.containers import names, secret_files
from harness.platforms.containers.platform import ContainersPlatform
from harness.platforms.containers.site import ContainersSite
from harness.platforms.embedded import credentials
from harness.platforms.embedded.layout import Layout

pytestmark = [pytest.mark.containers, pytest.mark.timeout(400)]


def site_of(platform: ContainersPlatform) -> ContainersSite:
    return platform.nodes.site


def test_it_is_whole_and_found_again(whole: ContainersPlatform) -> None:
    assert whole.whole().missing == ()
    found = find.running("containers")
    assert found is not None
    assert found.directory == whole.directory
    assert find.platform_at(whole.directory).endpoints() == whole.endpoints()
    assert find.facts_of("containers") == whole.facts()
    assert whole.facts().heading == "stand-in application"
    assert "sha256:" in dict(whole.facts().versions)["application image"]


def test_its_databases_are_two_and_synchronous(whole: ContainersPlatform) -> None:
    with psycopg.connect(whole.endpoints().dsn) as connection:
        rows = connection.execute("SELECT sync_state FROM pg_stat_replication").fetchall()
    assert rows == [("sync",)]
    assert whole.database.leader() in {"a", "b"}
    assert len(whole.backups.candidates()) >= 1


def test_no_secret_is_in_what_docker_tells_of_a_container(whole: ContainersPlatform) -> None:
    known = asdict(credentials.load(Layout(whole.directory)))
    assert len(known) > 10
    for part in names.ALL:
        told = json.dumps(inspected(names.container(whole.directory.name, part)))
        log = site_of(whole).logs(part)
        for name, secret in known.items():
            assert secret not in told, f"{name} is in what Docker tells of {part}"
            assert secret not in log, f"{name} is in the log of {part}"


def test_a_container_sees_its_own_secrets_alone_and_runs_without_privilege(
    whole: ContainersPlatform,
) -> None:
    for part, role in (("application-0", "application"), ("partners", "partners")):
        seen = site_of(whole).run(part, ["ls", "/secrets"]).decode().split()
        assert set(seen) == set(secret_files.NEEDED[role])
    for part in names.ALL:
        told = inspected(names.container(whole.directory.name, part))
        assert told["Config"]["User"] == "1000:1000"
        assert told["HostConfig"]["CapDrop"] == ["ALL"]
        assert told["HostConfig"]["Privileged"] is False
    assert whole.directory.stat().st_mode & 0o077 == 0


def test_every_door_is_on_loopback(whole: ContainersPlatform) -> None:
    found = set()
    for part in names.ALL:
        told = inspected(names.container(whole.directory.name, part))
        for bound in (told["HostConfig"]["PortBindings"] or {}).values():
            assert [b["HostIp"] for b in bound] == ["127.0.0.1"]
            found |= {int(b["HostPort"]) for b in bound}
    assert found == {getattr(site_of(whole).ports, n) for n in site_of(whole).ports.__slots__}


def test_a_command_has_stdin_a_limit_and_an_exit_code(whole: ContainersPlatform) -> None:
    site = site_of(whole)
    sent = bytes(range(256)) * 40_000  # ten megabytes, both ways
    assert site.run("keeper", ["cat"], stdin=sent) == sent
    with pytest.raises(PlatformError, match=r"failed \(3\): no luck"):
        site.run("keeper", ["sh", "-c", "echo no luck >&2; exit 3"])
    with pytest.raises(PlatformError, match="did not end within 1 s"):
        site.run("keeper", ["sleep", "60"], within_s=1)
    until(lambda: b"sleep 60" not in processes(site), "the end of what took too long")
    with pytest.raises(PlatformError, match="nobody"):
        site.run("nobody", ["true"])


def processes(site: ContainersSite) -> bytes:
    program = (
        "import glob; print([open(f, 'rb').read() for f in glob.glob('/proc/[0-9]*/cmdline')])"
    )
    return site.run("keeper", ["python3", "-c", program]).replace(b"\\x00", b" ")


def test_a_part_is_restarted_at_the_same_door(whole: ContainersPlatform) -> None:
    site = site_of(whole)
    site.restart("partners", within_s=60)
    until(lambda: whole.whole().whole, "a whole platform after a restart")


def test_doors_are_closed_and_seen_closed(whole: ContainersPlatform) -> None:
    whole.ingress.close()
    try:
        until(whole.ingress.is_closed, "a closed door")
        assert not whole.ingress.is_open()
        assert site_of(whole).doors() == (True, False)
    finally:
        whole.ingress.open()
    until(whole.ingress.is_open, "an open door")


def test_new_secrets_reach_those_who_may_read_them(whole: ContainersPlatform) -> None:
    site = site_of(whole)
    old = credentials.load(Layout(whole.directory)).api_key
    site.put_secrets({"api_key": "a-new-one-for-a-test"})
    try:
        seen = site.run("application-1", ["cat", "/secrets/api_key"])
        assert seen == b"a-new-one-for-a-test"
        assert "api_key" not in site.run("partners", ["ls", "/secrets"]).decode()
    finally:
        site.put_secrets({"api_key": old})
