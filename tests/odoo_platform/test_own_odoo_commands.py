"""The owner's commands: run as written, in time, heard without secrets; observed, never believed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import FaultError
from harness.inputs.odoo_file import FaultCommands, OdooOptions
from harness.platforms.odoo import commands as module
from harness.platforms.odoo.commands import LOG, OdooCommands
from harness.platforms.odoo.rpc import How, Told
from harness.platforms.odoo.state import State


class Odoo:
    """Answers while a file is there; its owner's commands take it away and put it back."""

    def __init__(self, folder: Path) -> None:
        self.up = folder / "up"
        self.up.touch()
        self.silent = 0

    def answer(self, *_: object, **__: object) -> Told:
        if self.silent:
            self.silent -= 1
            return Told(How.SILENT, why="no answer")
        return Told(How.ANSWERED, 1) if self.up.exists() else Told(How.FAILED, why="HTTP 500")


@pytest.fixture
def odoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Odoo:
    monkeypatch.delenv("PEAKDRILL_RUN", raising=False)
    (tmp_path / "password").write_text("hush-hush")
    made = Odoo(tmp_path)
    monkeypatch.setattr(module.rpc, "execute", made.answer)
    return made


def offered(folder: Path, **more: object) -> OdooCommands:
    fault = replace(FaultCommands("stop", "rm up", "touch up", limit_s=5), **more)
    options = OdooOptions(
        folder, "http://127.0.0.1:1", "shop", "admin", folder / "password", "dbname=shop",
        disposable=True, faults=(fault,),
    )  # fmt: skip
    return OdooCommands(folder, State(options, 2, 14, "14.0", False, ()))


def test_begun_seen_ended_and_seen_to_be_over(odoo: Odoo, tmp_path: Path) -> None:
    commands = offered(tmp_path)
    assert (commands.acts("stop"), commands.is_over("stop")) == (False, True)
    commands.begin("stop")
    assert (commands.acts("stop"), commands.is_over("stop")) == (True, False)
    commands.end("stop")
    assert (commands.acts("stop"), commands.is_over("stop")) == (False, True)
    log = (tmp_path / LOG).read_text()
    assert "stop: begin: exit code 0" in log
    assert (tmp_path / LOG).stat().st_mode & 0o077 == 0


def test_a_busy_odoo_is_asked_twice_before_it_counts_as_away(odoo: Odoo, tmp_path: Path) -> None:
    commands = offered(tmp_path)
    odoo.silent = 1
    assert not commands.acts("stop")
    odoo.silent = 2
    assert commands.acts("stop")


@pytest.mark.parametrize(
    ("begin", "told"),
    [("exit 3", "exit code 3"), ("no-such-program-here", "exit code 127"),
     ("kill -9 $$", "ended by signal 9")],
)  # fmt: skip
def test_a_command_that_fails_is_an_error(
    odoo: Odoo, tmp_path: Path, begin: str, told: str
) -> None:
    with pytest.raises(FaultError, match=told):
        offered(tmp_path, begin=begin).begin("stop")


def test_a_command_that_does_not_end_is_killed_with_its_family(odoo: Odoo, tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(FaultError, match="was killed"):
        offered(tmp_path, begin="(sleep 60; touch late) & sleep 60", limit_s=0.3).begin("stop")
    assert time.monotonic() - begun < 30
    assert not (tmp_path / "late").exists()


def test_what_a_command_leaves_running_is_not_waited_for(odoo: Odoo, tmp_path: Path) -> None:
    offered(tmp_path, begin="sleep 30 & echo $! > pid; rm up", limit_s=20).begin("stop")
    pid = int((tmp_path / "pid").read_text())
    import os
    import signal

    os.kill(pid, signal.SIGKILL)  # it was still there


def test_an_end_that_fails_counts_only_where_there_was_something_to_end(
    odoo: Odoo, tmp_path: Path
) -> None:
    commands = offered(tmp_path, end="touch up; exit 2")
    commands.end("stop")  # nothing acts: harmless
    commands.begin("stop")
    with pytest.raises(FaultError, match="did not do it: exit code 2"):
        commands.end("stop")


def test_the_owners_own_probes_are_asked_where_there_are_any(odoo: Odoo, tmp_path: Path) -> None:
    commands = offered(tmp_path, effect="test ! -e up", healed="test -e up")
    odoo.silent = 100  # nobody asks it
    assert (commands.acts("stop"), commands.is_over("stop")) == (False, True)
    commands.begin("stop")
    assert (commands.acts("stop"), commands.is_over("stop")) == (True, False)
    assert odoo.silent == 100


@pytest.mark.parametrize("probe", ["no-such-program-here", "kill -9 $$", "sleep 60"])
def test_a_probe_that_cannot_find_out_proves_nothing(
    odoo: Odoo, tmp_path: Path, probe: str
) -> None:
    commands = offered(tmp_path, effect=probe, healed=probe, limit_s=0.5)
    for ask in (commands.acts, commands.is_over):
        with pytest.raises(FaultError, match="could not find out"):
            ask("stop")


def test_no_secret_reaches_the_log(
    odoo: Odoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEAKDRILL_SIGNING_KEY", "signing-key")
    begin = "cat password; echo PGPASSWORD=abcdef postgres://me:ghijkl@db token: mnopqr; env; rm up"
    offered(tmp_path, begin=begin).begin("stop")
    log = (tmp_path / LOG).read_text()
    for word in ("hush-hush", "abcdef", "ghijkl", "mnopqr", "signing-key"):
        assert word not in log


def test_a_name_is_looked_up_and_never_run(odoo: Odoo, tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="offers no fault"):
        offered(tmp_path).begin("stop; touch injected")
    assert not (tmp_path / "injected").exists()
