"""A second environment of containers: what is its own, and what stands outside of both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.inputs.containers_file import ContainersOptions
from harness.platforms.containers import names, parts, secret_files, state
from harness.platforms.embedded import credentials
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference.ports import Ports

PORTS = Ports(*range(20_000, 20_011))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "containers" / "x1")
    state.make(made)
    return made


def claimed(layout: Layout) -> state.State:
    return state.claimed(layout, ContainersOptions(), PORTS)


def test_a_clean_room_has_all_of_its_own_but_what_stands_outside(layout: Layout) -> None:
    secret_files.write_all(layout, credentials.generate(layout))
    room = Layout(layout.root, "clean-1")
    now = replace(claimed(layout), environment="clean-1")
    for name in set(names.ALL) - set(names.OUTSIDE):
        old, new = parts.part_of(layout, claimed(layout), name), parts.part_of(room, now, name)
        assert not set(old.volumes) & set(new.volumes)
        assert old.secrets != new.secrets
        assert new.environment["PEAKDRILL_AWAIT_RESTORE"] == "true"
        assert "PEAKDRILL_AWAIT_RESTORE" not in old.environment
        kept = names.container("id", name), names.container("id", name, "clean-1")
        assert kept == (f"peakdrill-id-{name}", f"peakdrill-id-clean-1-{name}")
    for name in names.OUTSIDE:
        assert names.container("id", name, "clean-1") == f"peakdrill-id-{name}"
        assert secret_files.folder(room, name) == secret_files.folder(layout, name)
    assert names.network("id", "clean-1") != names.network("id")


def test_what_the_store_reads_is_replaced_and_what_was_left_stays(layout: Layout) -> None:
    old = credentials.generate(layout)
    secret_files.write_all(layout, old)
    room = Layout(layout.root, "clean-1")
    for folder in (room.secrets, state.mounted(room)):
        folder.mkdir(parents=True)
    new = credentials.generate(room)
    secret_files.write_all(room, new)
    store = secret_files.folder(layout, "store") / "s3_admin_secret"
    assert store.read_text() == new.s3_admin_secret
    assert (secret_files.folder(layout, "database") / "shop").read_text() == old.shop
    assert (secret_files.folder(room, "database") / "shop").read_text() == new.shop
