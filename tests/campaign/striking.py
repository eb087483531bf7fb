"""One drill, one SIGKILL, and what is left of it, held against three claims.

no fault left          the platform is whole, both journals are empty, nobody works on
no write missing       every key of this run that is in a store is in a ledger, and no slot is torn
no pass by omission    the run does not pass, unless the kill came when the fault was healed
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

from harness.evidence import layout
from harness.ledger.reader import ledger_files, read_ledger
from harness.platforms.capabilities import Platform
from tests.campaign.strikes import Strike, Victim

ROOT = Path(__file__).resolve().parents[2]
_MARK_S, _RUN_S, _UNDO_S = 400.0, 700.0, 400.0
_GONE_S = _WHOLE_S = 240.0  # an experiment that nobody waits for has its own time to mend
_POLL_S = 0.05
_KEYS = (
    "SELECT client_order_ref FROM sale_order WHERE client_order_ref LIKE %s",
    "SELECT pos_reference FROM pos_order WHERE pos_reference LIKE %s",
    "SELECT ref FROM account_move WHERE ref LIKE %s",
)
_KEY = re.compile(r"pd-[0-9A-Za-z]+-(\d+)-(\d+)")


@dataclass(frozen=True)
class Struck:
    """What came of it. `struck`: False where the run was over before, which proves nothing."""

    number: int
    scenario: str
    victim: str
    mark: str
    struck: bool
    code: int | None  # of `peakdrill check`; None where there is no run
    problems: tuple[str, ...]


def strike(one: Strike, platform: Platform, out: Path) -> Struck:
    """`platform` is whole, and is so again afterwards, or that is a problem."""
    hung: list[str] = []
    words = ("run", one.scenario, "--size", "smoke", "--json", "--yes", "--out", str(out))
    with (out / "stderr").open("wb") as said:  # no pipe, which whoever outlives it would hold open
        child = _peakdrill(*words, stderr=said)
    try:
        struck = _strike(one, child, out)
        healed = '"fault-healed"' in _events(out)
        child.wait(timeout=_RUN_S)
    except subprocess.TimeoutExpired:
        hung.append(f"the run did not end within {_RUN_S:g} s")
    finally:
        child.kill()
        child.wait()
    run = _only_run(out)
    problems = [*hung, *left_behind(platform, run), *missing(platform, run)]
    code = None if run is None else _ended("check", str(run), within_s=_UNDO_S)[0]
    if struck and run is not None:
        problems += omission(one, code, healed=healed)
    return Struck(one.number, one.scenario, one.victim, one.mark, struck, code, tuple(problems))


def left_behind(platform: Platform, run: Path | None) -> Iterator[str]:
    """Faults, journals and processes that are still there after one `peakdrill undo`."""
    if run is not None and not _until(lambda: not named(run), _GONE_S):
        yield f"somebody works on: {', '.join(map(str, named(run)))}"
    code, said = _ended("undo", within_s=_UNDO_S)
    if code != 0:
        yield f"undo ended with {code}: {said[-200:]}"
    if not _until(lambda: platform.whole().whole, _WHOLE_S):
        yield f"not whole: {'; '.join(platform.whole().missing)}"
    for folder in ("undo", "recovery"):
        if left := sorted(path.name for path in (platform.directory / folder).glob("*.json")):
            yield f"left in the journal {folder}: {', '.join(left)}"


def missing(platform: Platform, run: Path | None) -> Iterator[str]:
    """Writes that a store holds and no ledger does; and slots that are torn."""
    if run is None or not ledger_files(run / layout.LEDGER):
        return
    ends = {}
    for file in ledger_files(run / layout.LEDGER):
        operations, health = read_ledger(file)
        ends[health.worker] = {int(seq) for seq in operations.seq}
        if health.torn:
            yield f"{file.name}: {health.torn} torn"
    beyond = [
        key for key, worker, seq in stored(platform, run.name) if seq not in ends.get(worker, ())
    ]
    if beyond:
        yield f"{len(beyond)} stored and in no ledger, {beyond[0]} among them"


def stored(platform: Platform, run_id: str) -> Iterator[tuple[str, int, int]]:
    """(key, worker, seq) of every record of the run that the platform holds."""
    endpoints = platform.endpoints()
    with psycopg.connect(endpoints.dsn, connect_timeout=10, autocommit=True) as database:
        for asked in _KEYS:
            for (key,) in database.execute(asked, [f"pd-{run_id}-%"]):
                if found := _KEY.fullmatch(key):
                    yield key, int(found[1]), int(found[2])


def omission(one: Strike, code: int | None, *, healed: bool) -> Iterator[str]:
    """A run in which somebody was killed does not pass. One thing may: the experiment, or another
    child, whose work was done by then."""
    done = healed and one.victim in {Victim.EXPERIMENT, Victim.CHILD}
    if code == 0 and not done:
        yield f"it passed, though its {one.victim} was killed"
    if code not in {0, 1, 3, 4}:
        yield f"it cannot be judged: check ended with {code}"


def _strike(one: Strike, child: subprocess.Popen[str], out: Path) -> bool:
    """Wait for the mark and a little longer, then kill. False where it was over before."""
    seen = f'"{one.mark}"'
    _until(lambda: seen in _events(out) or child.poll() is not None, _MARK_S)
    _until(lambda: child.poll() is not None, one.wait_s)
    if child.poll() is not None:
        return False
    if one.victim is Victim.HARNESS:
        child.send_signal(signal.SIGKILL)
        return True
    run = _only_run(out)
    found = victims(one.victim, run) if run is not None else []
    if not found:
        return False
    try:
        os.kill(found[int(one.chance * len(found))], signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def victims(victim: Victim, run: Path) -> list[int]:
    """Its processes, oldest first. Of the load, who holds a ledger; the platform is nobody's."""
    from harness.selftest.saboteurs import load_workers

    if victim is Victim.LOAD:
        return load_workers(run)
    words = {pid: _command(pid) for pid in named(run)}
    if victim is Victim.EXPERIMENT:
        return sorted(pid for pid, said in words.items() if b"chaostoolkit" in said)
    return sorted(pid for pid, said in words.items() if said)


def named(run: Path) -> list[int]:
    """Living processes whose environment or arguments name the run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        if int(entry.name) == os.getpid():
            continue
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if os.fsencode(run) in told and state != "Z":
            found.append(int(entry.name))
    return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _events(out: Path) -> str:
    files = list(out.glob(f"*/{layout.EVENTS}"))
    return files[0].read_text(encoding="utf-8", errors="replace") if files else ""


def _only_run(out: Path) -> Path | None:
    found = [path.parent for path in out.glob(f"*/{layout.PLAN}")]
    return found[0] if found else None


def _until(reached: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not (done := reached()) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return done


def _peakdrill(*words: str, stderr: int | IO[bytes] = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *words], cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=stderr, text=True, start_new_session=True,
    )  # fmt: skip


def _ended(*words: str, within_s: float) -> tuple[int, str]:
    child = _peakdrill(*words)
    try:
        _, err = child.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        child.kill()
        return -1, "it did not end"
    return child.returncode, err
