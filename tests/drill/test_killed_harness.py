"""kill -9 of the harness at random instants of a run: nothing stays broken, nothing passes."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from harness.core.operation import Outcome
from harness.evidence import layout
from harness.ledger.reader import ledger_files, read_ledger
from harness.platforms.embedded import EmbeddedPlatform

pytestmark = [pytest.mark.platform, pytest.mark.drill]

MENDED_WITHIN_S = 90
LOAD_GONE_WITHIN_S = 40


def until(reached, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not (done := reached()) and time.monotonic() < deadline:
        time.sleep(0.25)
    return bool(done)


def events_of(out: Path) -> str:
    files = list(out.glob(f"*/{layout.EVENTS}"))
    return files[0].read_text() if files else ""


def processes_of(run: Path) -> list[int]:
    """Living processes, load or experiment, whose environment or arguments name the run."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if os.fsencode(run) in told and state != "Z":
            found.append(int(entry.name))
    return found


def kill_and_look(
    site, platform: EmbeddedPlatform, mark: str, wait_s: float, scenario: str = "node-loss"
) -> None:
    """Kill the harness `wait_s` after `mark` was written, then hold everything against the claim."""
    child = site.start("run", scenario, "--size", "smoke", "--json", "--out", str(site.out))
    try:
        assert until(lambda: mark in events_of(site.out) or child.poll() is not None, 120)
        time.sleep(wait_s)
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=30)
        run = site.only_run()
        assert until(lambda: not processes_of(run), LOAD_GONE_WITHIN_S), "somebody works on"
        code, out, err = site.peakdrill("undo")
        assert code == 0, out + err
        assert until(lambda: platform.whole().whole, MENDED_WITHIN_S), platform.whole().missing
        assert not list((platform.directory / "undo").glob("*.json"))
        assert not list((platform.directory / "recovery").glob("*.json"))
        acknowledged_writes_are_all_there(run)
        code, out, err = site.peakdrill("check", str(run))
        assert code in {1, 4}, f"a run that was cut short passed: {out}{err}"
    finally:
        child.kill()
        site.peakdrill("undo")


def acknowledged_writes_are_all_there(run: Path) -> None:
    """No slot is torn: what a customer was told is in the ledger, whole."""
    for file in ledger_files(run / layout.LEDGER):
        operations, health = read_ledger(file)
        assert health.torn == 0
        assert (operations.outcome == Outcome.ACKED).any() or len(operations) < 50


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("mark", "wait_s"), [("baseline-begun", 0.5), ("fault-active", 3.0)], ids=["early", "broken"]
)
def test_a_killed_harness_leaves_nothing_broken(site, platform, mark: str, wait_s: float) -> None:
    kill_and_look(site, platform, mark, wait_s)


@pytest.mark.timeout(500)
def test_a_harness_killed_in_the_middle_of_a_restore(site, platform) -> None:
    """Both databases are stopped, and their data half written: the undo goes on with it."""
    kill_and_look(site, platform, "ingress-closed", 4.0, "logical-corruption")


@pytest.mark.campaign
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(10))
def test_a_killed_harness_leaves_nothing_broken_at_any_instant(site, platform, number: int) -> None:
    chance = random.Random(20_261_122 + number)
    mark = chance.choice(
        ["load-begun", "fault-armed", "fault-active", "failed-over", "service-well"]
    )
    kill_and_look(site, platform, mark, chance.uniform(0, 8))


@pytest.mark.timeout(400)
def test_ctrl_c_undoes_the_fault_and_saves_the_evidence(site, platform) -> None:
    child = site.start("run", "node-loss", "--size", "smoke", "--out", str(site.out))
    try:
        assert until(lambda: '"fault-active"' in events_of(site.out), 120)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=180)
        assert child.returncode == 4, out + err
        assert "SIGINT" in out + err
        assert until(lambda: platform.whole().whole, MENDED_WITHIN_S), platform.whole().missing
        code, out, err = site.peakdrill("check", str(site.only_run()))
        assert code == 4, out + err
    finally:
        child.kill()
        site.peakdrill("undo")
