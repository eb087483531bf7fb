"""What is refused before anything was started, and what a crash left behind."""

from __future__ import annotations

import collections
import json
import os
import shutil
import socket
from pathlib import Path

import pytest

from harness.errors import Refused, UsageError
from harness.platforms import find
from harness.platforms.embedded import attach, namespace, ports, up
from harness.platforms.embedded import find as find_embedded
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import (
    Layout,
    Options,
    State,
    boot_id,
    load_state,
    save_state,
)
from harness.platforms.embedded.platform import remove


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def leave_behind(root: Path, **changes: object) -> Layout:
    """A folder as a crashed command leaves it."""
    layout = Layout(root)
    layout.make()
    fields = {
        "platform_id": root.name,
        "boot_id": boot_id(),
        "starter_pid": os.getpid(),
        "starter_ticks": 0,
        "phase": "up",
        "options": Options(),
        "ports": {},
    }
    save_state(layout, State(**{**fields, **changes}))  # type: ignore[arg-type]
    return layout


def test_a_port_in_use_is_refused(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"port {port} on 127.0.0.1 is in use"):
            up(ingress_port=port)
    assert not list(home.glob("platforms/*"))


def test_a_port_in_use_by_the_environment_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEAKDRILL_PORT", "seventy")
    with pytest.raises(Refused, match="no port"):
        up()


def test_a_full_disk_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = collections.namedtuple("usage", "total used free")  # noqa: PYI024
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, 1 << 40, 5 << 20))
    with pytest.raises(Refused, match="only 5 MiB are free"):
        up()
    assert not list(home.glob("platforms/*"))


def test_a_machine_without_namespaces_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(namespace, "as_node", lambda: ["sh", "-c", "echo not here >&2; exit 1"])
    with pytest.raises(Refused, match=r"no user and pid namespaces \(not here"):
        up()


def test_a_foreign_folder_is_refused_and_left_alone(home: Path) -> None:
    home.mkdir()
    home.joinpath("mine").write_text("keep me")
    with pytest.raises(Refused, match="not empty"):
        up(home)
    assert home.joinpath("mine").read_text() == "keep me"


def test_no_platform_anywhere(home: Path) -> None:
    assert find_embedded() is None
    assert find.running() is None
    with pytest.raises(Refused, match="no embedded platform"):
        attach(home / "nowhere")
    with pytest.raises(UsageError, match="no platform 'moon'"):
        find.start("moon")


@pytest.mark.parametrize(
    "changes",
    [
        {"boot_id": "another boot"},  # the machine was rebooted
        {"phase": "up"},  # its processes are dead
        {"phase": "starting"},  # its starter is dead: the pid is ours, the start time is not
    ],
)
def test_what_a_crash_left_is_cleared(home: Path, changes: dict[str, object]) -> None:
    layout = leave_behind(home / "platforms" / "crashed", **changes)
    with pytest.raises(Refused, match="not running any more"):
        attach(layout.root)
    assert find_embedded() is None
    assert not layout.root.exists()


def test_a_damaged_state_is_named_and_can_be_removed(home: Path) -> None:
    layout = leave_behind(home / "platforms" / "damaged")
    layout.state_file.write_text("{")
    with pytest.raises(Refused, match="damaged"):
        load_state(layout)
    assert find_embedded() is None
    remove(layout)
    remove(layout)  # harmless
    assert not layout.root.exists()


def test_another_format_is_refused(home: Path) -> None:
    layout = leave_behind(home / "platforms" / "older")
    layout.state_file.write_text(json.dumps({"format": 0}))
    with pytest.raises(Refused, match="another version"):
        load_state(layout)


def test_ports_are_different_free_and_out_of_the_way_of_outgoing_connections() -> None:
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    with ports.reserved() as one, ports.reserved() as two:
        chosen = [*one.values(), *two.values()]
        assert len(set(chosen)) == len(chosen)
        assert max(chosen) < first_ephemeral or first_ephemeral <= 10_500
        assert set(ports.NAMES) <= set(one)
        with socket.socket() as late, pytest.raises(OSError, match="in use"):
            late.bind(("127.0.0.1", one["ingress"]))


def test_secrets_do_not_show() -> None:
    fields = {name: f"secret-{name}" for name in Secrets.__dataclass_fields__}
    assert "secret-" not in repr(Secrets(**fields)) + str(Secrets(**fields))


def test_a_port_for_root_alone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEAKDRILL_PORT", "80")
    with pytest.raises(Refused, match="port 80 is reserved"):
        find.start("embedded")
