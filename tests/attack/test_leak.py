"""The action and its undo: armed before anything leaks, active once he is in, over with its pipe."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.attack.leaked import folder_of
from harness.chaos import actions, attack
from harness.chaos.standing import Standing
from harness.core.evidence import Use
from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError, PlatformError
from harness.evidence import events, layout
from harness.evidence.lines import read_lines
from harness.faults import journal
from harness.faults.deeds import credential_compromise, deed_of
from harness.faults.state import State, state_of
from harness.platforms.embedded import process
from tests.attack.prey import door
from tests.attack.vault import KINDS, Vault, platform_of
from tests.shop.stand import wait_until

DEED = deed_of(credential_compromise.NAME)


@dataclass
class Scene:
    platform: SimpleNamespace
    vault: Vault
    run: Path

    def marks(self) -> tuple[Mark, ...]:
        return events.read(self.run / layout.EVENTS).timeline.marks

    def state(self) -> State:
        return state_of(events.read(self.run / layout.EVENTS).timeline)

    def uses(self) -> tuple[Use, ...]:
        return read_lines(self.run / layout.USES, Use)

    def entry(self) -> journal.Entry:
        (entry,) = journal.pending(self.platform.directory)
        return entry


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    run = tmp_path / "r1"
    run.mkdir()
    with door() as stub:
        vault = Vault(stub, run / layout.USES)
        platform = platform_of(vault, tmp_path / "platform")
        here = Standing(platform, run)
        for module in (attack, actions):
            monkeypatch.setattr(module, "standing", lambda: here)
        yield Scene(platform, vault, run)
        for thief in attack._attackers:
            thief.kill()
            thief.communicate()
        attack._attackers.clear()


def test_he_is_let_in_with_every_class_and_ended_by_the_undo(scene: Scene) -> None:
    assert not DEED.seen(scene.platform, {"run": "r1"})
    assert attack.leak() == sorted(KINDS)
    assert scene.state() is State.ACTIVE
    (active,) = [m for m in scene.marks() if m.name is MarkName.FAULT_ACTIVE]
    first = {k: next(u for u in scene.uses() if u.credential == k and u.accepted) for k in KINDS}
    assert active.earliest_ns == min(u.begun_ns for u in first.values())
    assert active.latest_ns == max(u.done_ns for u in first.values())
    entry = scene.entry()
    assert DEED.holds(scene.platform, entry)
    assert DEED.seen(scene.platform, {"run": "r1"})
    files = list(folder_of(scene.platform.directory).iterdir())
    assert {f.stem for f in files} == set(KINDS)
    assert {f.stat().st_mode & 0o777 for f in files} == {0o600}
    assert actions.mend() == ["the attacker's process ended, the leaked files removed"]
    assert scene.state() is State.HEALED
    assert not DEED.holds(scene.platform, entry)
    assert not folder_of(scene.platform.directory).exists()
    silent = len(scene.uses())
    assert actions.mend() == []
    assert len(scene.uses()) == silent


def test_nothing_leaks_before_its_undo_is_on_disk(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def hand_out(credential: str, _file: Path) -> None:
        entry = scene.entry()
        seen.append(
            (credential, DEED.holds(scene.platform, entry), [m.name for m in scene.marks()])
        )
        raise PlatformError("no room for it")

    monkeypatch.setattr(scene.vault, "hand_out", hand_out)
    with pytest.raises(PlatformError):
        attack.leak()
    assert seen == [(KINDS[0], True, [MarkName.FAULT_ARMED])]
    assert scene.state() is State.SPOILED
    assert scene.uses() == ()
    assert actions.mend()


def test_a_class_that_lets_nobody_in_is_no_effect(scene: Scene) -> None:
    scene.vault.secrets["api-key"] += "0"
    scene.vault.hand_out = handing_out_what_is_old(scene.vault)
    with pytest.raises(FaultError, match=r"api-key \(denied: HTTP 401\)"):
        attack.leak(within_s=3.0)
    assert MarkName.NO_EFFECT in [m.name for m in scene.marks()]
    actions.mend()


def handing_out_what_is_old(vault: Vault):
    honest = vault.hand_out

    def hand_out(credential: str, file: Path) -> None:
        honest(credential, file)
        file.write_text(file.read_text().replace("api-key-00", "api-key-0"))

    return hand_out


def test_an_attacker_that_died_before_his_release_spoils_the_run(scene: Scene) -> None:
    attack.leak()
    attack._attackers[0].kill()
    attack._attackers[0].wait()
    actions.mend()
    assert scene.state() is State.SPOILED
    assert not folder_of(scene.platform.directory).exists()


def test_a_pid_that_was_given_to_somebody_else_is_left_alone(scene: Scene) -> None:
    attack.leak()
    attack._attackers[0].kill()
    attack._attackers[0].wait()
    somebody = process.identify(os.getpid())
    assert somebody is not None
    old = scene.entry()
    reused = {"pid": str(somebody.pid), "start_ticks": str(somebody.start_ticks - 1)}
    journal.remove(old)
    journal.write(scene.platform.directory, DEED.name, reused, "r1")
    assert not DEED.holds(scene.platform, scene.entry())
    assert actions.mend()  # we are still here to say so


def test_he_ends_when_whoever_holds_his_pipe_is_killed(scene: Scene, tmp_path: Path) -> None:
    """As the experiment's process is, when it dies by SIGKILL and plays no rollback."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    pid = int(holder.stdout.readline())
    thief = process.identify(pid)
    assert thief is not None
    holder.kill()
    holder.communicate()
    wait_until(lambda: not process.is_alive(thief), "the attacker has ended")


HOLDER = """
import subprocess, sys, time
from pathlib import Path
from harness.attack import order
folder = Path(sys.argv[1])
order.write(order.Order("m", str(folder), str(folder / "uses"), 19, {}, 60.0, 1), folder / "o.json")
words = [sys.executable, "-m", "harness.attack", str(folder / "o.json")]
thief = subprocess.Popen(words, stdin=subprocess.PIPE)
print(thief.pid, flush=True)
time.sleep(600)
"""
