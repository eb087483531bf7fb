"""Traefik and Valkey that their own images start, on real containers: told by file, seen by door."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import docker as docker_library
import pytest
from docker_seen import labelled, until

from harness.inputs.containers_file import REFERENCE_IMAGE, ContainersOptions, Images, PartRun
from harness.platforms.containers import clearing, names, own_ingress, parts, secret_files, state
from harness.platforms.containers.site import ContainersSite
from harness.platforms.embedded import credentials, doors, programs, valkey, web
from harness.platforms.embedded.ports import reserved_for
from harness.platforms.reference import ingress
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import INGRESS, QUEUE

pytestmark = [pytest.mark.containers, pytest.mark.timeout(300)]
_PROGRAM = "from harness.platforms.embedded import programs; print(programs.valkey())"
_SCRIPT = (
    r"""umask 077; printf 'requirepass %s\n' "$(cat /secrets/valkey)" > /tmp/own.conf;"""
    f" exec $(python3 -c '{_PROGRAM}') /tmp/own.conf --bind 0.0.0.0 --appendonly yes --dir /data"
)
VALKEY = ("/bin/sh", "-ec", _SCRIPT)


@pytest.fixture
def images(docker: None) -> Iterator[Images]:
    """Traefik's one file and nothing else; and another name for an image that has Valkey."""
    asked, mark = docker_library.from_env(), os.getpid()
    made = Images(cache=f"localhost/somebodys-valkey:{mark}", ingress=f"localhost/traefik:{mark}")
    asked.images.get(REFERENCE_IMAGE).tag(made.cache)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(programs.traefik(), "traefik")
    name, _, tag = made.ingress.rpartition(":")
    asked.api.import_image_from_data(
        packed.getvalue(), name, tag, changes=['ENTRYPOINT ["/traefik"]']
    )
    try:
        yield made
    finally:
        for image in (made.cache, made.ingress):
            asked.images.remove(image, noprune=True)
        asked.close()


@pytest.fixture
def site(
    images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ContainersSite]:
    """Both parts, and nobody else of the stack."""
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "own"))
    options = ContainersOptions(
        images=images, ingress=PartRun("own"), cache=PartRun("own", VALKEY, (), "1000:1000")
    )
    layout = state.new_layout()
    state.make(layout)
    asked = docker_library.from_env()
    try:
        with reserved_for([field.name for field in fields(Ports)], {}) as chosen:
            now = state.claimed(layout, options, Ports.of(chosen))
        secret_files.write_all(layout, credentials.generate(layout))
        own_ingress.write_first(layout, options)
        labels = names.labels(now.platform_id, layout.root, now.starter)
        asked.networks.create(names.network(now.platform_id), labels=labels)
        for part in (QUEUE, INGRESS):
            parts.start(now, parts.part_of(layout, now, part), labels)
        yield ContainersSite(layout, now.ports)
    finally:
        clearing.remove(layout)
        asked.close()
    assert labelled(layout.root.name) == []


def test_doors_are_closed_and_opened_by_the_file_that_it_mounts(site: ContainersSite) -> None:
    named, secrets = site.ports.named(), credentials.load(site.layout)
    until(lambda: web.ask(site.ports.ingress_api, "/api/overview") is not None, "Traefik's API")
    until(
        lambda: valkey.is_healthy({"valkey": site.ports.queue_door}, secrets),
        "Valkey through its door, with the password of its file",
    )
    way = ingress.ingress(site.layout, site.ports, site)
    assert site.doors() == (False, False)
    assert not doors.turns_away(named)  # no replica is there, and yet the door is not closed
    way.close()
    until(way.is_closed, "a door that turns away")
    assert valkey.is_healthy({"valkey": site.ports.queue_door}, secrets)  # that one stays open
    site.set_doors(closed=True, queue_closed=True)
    until(lambda: doors.queue_hangs_up(named), "the queue's door that hangs up")
    way.open()
    until(lambda: not doors.turns_away(named), "an open door")
    until(lambda: valkey.is_healthy({"valkey": site.ports.queue_door}, secrets), "both doors")
