"""The watchdog: it counts what customers met, and stops a drill that hangs."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core.guard import GuardRails, Harm
from harness.core.operation import Flag, Kind, Outcome, Stage, Workload
from harness.errors import Interrupted, PlatformError
from harness.faults import journal
from harness.faults.state import State
from harness.interrupts import interrupt, interruptible
from harness.ledger.writer import LedgerWriter
from harness.watching.guarding import Watchdog, guarding, undo_lost
from harness.watching.harm import HarmSoFar
from tests.core import simulate
from tests.live.serving_stand import until

S = 10**9
BEGUN_NS = 1_000 * S
PATIENCE_S = 60.0


@dataclass
class Book:
    """A ledger that a test writes by hand."""

    writer: LedgerWriter

    def arrive(
        self, at_s: float, workload: Workload = Workload.ORDER_CAPTURE, *,
        outcome: Outcome | None = Outcome.ACKED, took_s: float = 0.1, flags: Flag = Flag.FINAL,
    ) -> None:  # fmt: skip
        at_ns = BEGUN_NS + round(at_s * S)
        seq = self.writer.intent(
            intended_ns=at_ns, sent_ns=at_ns, workload=workload, kind=Kind.CREATE,
            stage=Stage.CREATED, flags=flags,
        )  # fmt: skip
        if outcome is not None:
            self.writer.outcome(seq, done_ns=at_ns + round(took_s * S), outcome=outcome)


@pytest.fixture
def book(tmp_path: Path):
    (tmp_path / "ledger").mkdir()
    writer = LedgerWriter(tmp_path / "ledger" / "worker-0.slots", worker=0, run_id="r1")
    yield Book(writer)
    writer.close()


def harm_of(tmp_path: Path) -> HarmSoFar:
    return HarmSoFar(tmp_path / "ledger", simulate.plan_of(), BEGUN_NS)


def at(seconds: float) -> int:
    return BEGUN_NS + round(seconds * S)


def test_harm_is_what_was_not_answered_well_within_the_limit(book: Book, tmp_path: Path) -> None:
    book.arrive(1)  # good
    book.arrive(2, outcome=Outcome.REFUSED)
    book.arrive(3, outcome=None)  # hangs
    book.arrive(4, took_s=2.5)  # acknowledged, but later than the limit of 2 s
    book.arrive(5, Workload.FINANCE, outcome=Outcome.REFUSED)  # no order, and worth nothing
    book.arrive(6, outcome=Outcome.REFUSED, flags=Flag.FINAL | Flag.CANARY)
    book.arrive(7, Workload.POINT_OF_SALE, outcome=Outcome.UNKNOWN)
    harm = harm_of(tmp_path)
    assert harm.look(at(3.9)) == Harm()  # nobody's time is up yet
    assert harm.look(at(4)).orders == 1
    assert harm.look(at(20)) == Harm(4, 4, 3 * 4800 + 3150)


def test_what_is_older_than_a_minute_still_counts_as_money(book: Book, tmp_path: Path) -> None:
    harm = harm_of(tmp_path)
    for expected, second in enumerate(range(0, 300, 5), start=1):
        book.arrive(second, outcome=Outcome.REFUSED)
        found = harm.look(at(second + 2))
        assert found.orders == expected, "each is counted once, whenever it is looked at"
        assert found.money_cents == expected * 4800
        assert found.refused_last_minute == min(expected, 12)


def test_a_look_that_came_late_misses_nothing(book: Book, tmp_path: Path) -> None:
    harm = harm_of(tmp_path)
    for second in range(60):
        book.arrive(second, outcome=Outcome.REFUSED)
    harm.look(at(9))
    assert harm.look(at(65)).orders == 60
    assert harm_of(tmp_path).look(at(600)).orders == 60  # also the first one


def test_silence_is_counted_from_the_last_call_that_was_sent(book: Book, tmp_path: Path) -> None:
    harm = harm_of(tmp_path)
    harm.look(at(-3))
    assert harm.silent_s(at(-3)) == 0  # the load has not begun
    assert harm.silent_s(at(9)) == 9  # and then sent nothing
    book.arrive(10, outcome=None)
    harm.look(at(12))
    assert harm.silent_s(at(12)) == 2


class Attended:
    def __init__(self, state: State = State.ACTIVE, *, alive: bool = True) -> None:
        self.state, self.alive = state, alive

    def is_attended(self) -> bool:
        return self.alive


def test_the_way_to_undo_is_watched_while_the_fault_is_active(tmp_path: Path) -> None:
    fault = Attended()
    assert "no longer holds" in undo_lost(tmp_path, "r1", fault)
    entry = journal.write(tmp_path, "node-loss", {"node": "a"}, "r1")
    assert undo_lost(tmp_path, "r1", fault) == ""
    assert "no longer holds" in undo_lost(tmp_path, "r2", fault)
    fault.alive = False
    assert "died while the fault was active" in undo_lost(tmp_path, "r1", fault)
    fault.state = State.HEALED
    assert undo_lost(tmp_path, "r1", fault) == ""
    journal.remove(entry)
    assert undo_lost(tmp_path, "r1", fault) == ""
    assert undo_lost(tmp_path, "r1", None) == ""
    assert not list((tmp_path / journal.FOLDER).glob(".probe"))


def test_a_journal_that_cannot_be_written_is_a_lost_undo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.write(tmp_path, "node-loss", {"node": "a"}, "r1")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert "No space left" in undo_lost(tmp_path, "r1", Attended())


@pytest.fixture
def plan():
    return replace(simulate.plan_of(), guards=GuardRails(refused_per_minute_max=0))


def hang() -> None:
    """As a recovery that never comes back."""
    time.sleep(PATIENCE_S)
    raise AssertionError("nobody stopped it")


def test_a_drill_that_hangs_is_stopped_with_rail_and_figure(plan, book: Book, tmp_path: Path):
    now_s = (time.monotonic_ns() - BEGUN_NS) / S
    book.arrive(now_s - 10, outcome=Outcome.REFUSED)
    book.arrive(now_s, outcome=None)
    told = "aborted by the guard rail refused-per-minute: 1 orders refused or unanswered"
    with (
        interruptible(),
        pytest.raises(Interrupted, match=told) as stopped,
        guarding(plan, tmp_path, harm_of(tmp_path), None),
    ):
        hang()
    assert 0 < stopped.value.at_ns <= time.monotonic_ns()


def test_a_silent_prober_stops_a_drill_that_hangs(plan, book: Book, tmp_path: Path) -> None:
    quiet = replace(plan, guards=GuardRails(heartbeat_s=1.0))
    harm = HarmSoFar(tmp_path / "ledger", quiet, time.monotonic_ns())
    with (
        interruptible(),
        pytest.raises(Interrupted, match="the prober has been silent for"),
        guarding(quiet, tmp_path, harm, None),
    ):
        hang()


@dataclass
class Siren:
    """An Alertmanager that a test speaks for."""

    names: tuple[str, ...] = ()
    broken: bool = False

    def firing(self) -> tuple[SimpleNamespace, ...]:
        if self.broken:
            raise PlatformError("the alerts cannot be read")
        return tuple(SimpleNamespace(name=name) for name in self.names)


def test_a_named_alert_stops_it(plan, book: Book, tmp_path: Path) -> None:
    rails = GuardRails(alerts=("PaymentsDown",), heartbeat_s=600)
    siren = Siren(("PaymentsDown",))
    book.arrive((time.monotonic_ns() - BEGUN_NS) / S)
    with (
        interruptible(),
        pytest.raises(Interrupted, match="alert: the alert PaymentsDown fires"),
        guarding(replace(plan, guards=rails), tmp_path, harm_of(tmp_path), siren),
    ):
        hang()


def test_alerts_that_do_not_answer_grow_old(plan, book: Book, tmp_path: Path) -> None:
    book.arrive((time.monotonic_ns() - BEGUN_NS) / S)
    rails = GuardRails(alerts=("PaymentsDown",), heartbeat_s=600)
    siren = Siren(("PaymentsDown",), broken=True)
    dog = Watchdog(replace(plan, guards=rails), tmp_path, harm_of(tmp_path), siren)
    dog.hear()
    now_ns = time.monotonic_ns()
    assert dog.look(now_ns) is None
    trip = dog.look(now_ns + 31 * S)
    assert trip is not None
    assert "nobody watches PaymentsDown" in trip.why
    siren.broken = False
    dog.hear()
    assert "fires" in (dog.look(time.monotonic_ns()) or trip).why


def test_where_no_signal_can_be_sent_the_drill_finds_the_reason(plan, book: Book, tmp_path: Path):
    now_s = (time.monotonic_ns() - BEGUN_NS) / S
    book.arrive(now_s - 10, outcome=Outcome.REFUSED)
    assert interrupt("nobody listens") is False
    with guarding(plan, tmp_path, harm_of(tmp_path), None) as dog:
        until(lambda: dog.unheard, "the rail")
    assert "refused-per-minute" in dog.unheard


def test_a_ledger_that_cannot_be_read_is_a_rail_that_nobody_watches(plan, tmp_path: Path) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "worker-x.slots").write_bytes(b"")
    blind = replace(plan, guards=GuardRails(heartbeat_s=1.0))
    with (
        interruptible(),
        pytest.raises(Interrupted, match="watchdog: the ledgers could not be"),
        guarding(blind, tmp_path, harm_of(tmp_path), None),
    ):
        hang()


def test_an_ordinary_drill_is_left_alone(plan, book: Book, tmp_path: Path) -> None:
    now_s = (time.monotonic_ns() - BEGUN_NS) / S
    book.arrive(now_s - 5)
    with interruptible(), guarding(plan, tmp_path, harm_of(tmp_path), None) as dog:
        until(lambda: dog.latest.silent_s > 0, "a look")
        time.sleep(1.2)
    assert dog.trip is None
    os.kill(os.getpid(), 0)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
